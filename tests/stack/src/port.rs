//! Ports on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::bail;

/// Below those that systems give to connections as they come and go (from 32768 on Linux, from 49152
/// elsewhere): one of those would be anybody's between the look at it and its use, and whenever its
/// server is restarted.
const OURS: Range<u16> = 12_000..32_000;

/// How many were looked at in this process.
static LOOKED_AT: AtomicU16 = AtomicU16::new(0);

/// A port that was free a moment ago, and that this process gives out only once.
pub fn find_free() -> anyhow::Result<u16> {
    for _ in OURS {
        let port = next();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", OURS.start, OURS.end)
}

/// Each process begins elsewhere, so that those at the same time do not choose alike.
fn next() -> u16 {
    const STRIDE: u32 = 7919;
    let begin = std::process::id().wrapping_mul(STRIDE);
    let offset = begin.wrapping_add(LOOKED_AT.fetch_add(1, Ordering::Relaxed).into());
    let count = u32::from(OURS.end - OURS.start);
    OURS.start + u16::try_from(offset % count).unwrap_or_default()
}

/// An error that says what to do when somebody else has the port.
pub fn ensure_free(port: u16, option: &str) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "port {port} is not free ({error}): end what uses it, or choose another with {option}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_out_twice_and_none_that_is_taken() {
        let first = find_free().unwrap();
        let after = OURS.start + (first - OURS.start + 1) % (OURS.end - OURS.start);
        // Somebody else may have it: then it is taken as well.
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, after));
        let ports: BTreeSet<u16> = (0..20).map(|_| find_free().unwrap()).collect();
        assert_eq!(ports.len(), 20);
        assert!(
            !ports.contains(&first) && !ports.contains(&after),
            "{ports:?}"
        );
        assert!(ports.iter().all(|port| OURS.contains(port)), "{ports:?}");
    }
}
