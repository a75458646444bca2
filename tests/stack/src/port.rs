//! Ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, bail};

/// A port that was free a moment ago.
pub fn find_free() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
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
