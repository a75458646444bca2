//! The whole list as an edge holds it: taken once, asked, and followed by newer ones.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use list_bench::Command;
use shared::{Issuer, UnixSeconds};

use super::Plan;
use super::coding::nanos_each;
use super::host::{Host, Where};
use super::update::{self, Series};
use crate::bench::revoked_list::RevokedList;
use crate::bench::signer::Signer;
use crate::bench::stats::Summary;

const ISSUER: &str = "https://issuer.bench.invalid";
const TOKEN_LIFETIME_SECS: u64 = 3600;

/// One list in one place.
#[derive(Debug)]
pub(super) struct WholeRow {
    pub(super) entries: u64,
    pub(super) segments: usize,
    pub(super) place: Where,
    pub(super) hit_nanos: f64,
    pub(super) miss_nanos: f64,
    /// From the bytes in memory to the first answer, the signature and all hashes included.
    pub(super) ready: Duration,
    /// Of the Wasm instance; 0 natively.
    pub(super) memory_bytes: u64,
    /// Newer lists, with signature and hashes by the host.
    pub(super) verified: Series,
    /// Newer lists, without a signature, hashed by the code in `shared`.
    pub(super) unverified: Series,
}

impl fmt::Display for WholeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0}/{:.0} ns, an update {:.2} ms",
            self.hit_nanos, self.miss_nanos, self.verified.millis.median
        )
    }
}

pub(super) async fn measure(
    host: &mut Host,
    entries: u64,
    plan: &Plan,
) -> anyhow::Result<WholeRow> {
    let now = now()?;
    let until = now.plus_secs(TOKEN_LIFETIME_SECS + shared::LEEWAY_SECS);
    let list = RevokedList::build(entries, trusted_issuer()?, now, until)?;
    for (reference, bytes) in list.segments() {
        let reference = reference.clone();
        host.order(Command::HoldSegment { reference }, bytes.clone())
            .await?;
    }
    let message = list.sign_message(now)?.to_json().into_bytes();
    host.order(Command::HoldMessage, message).await?;
    let pin = Command::Pin {
        issuer: ISSUER.to_owned(),
        keys: list.list_keys(),
        now,
    };
    host.order(pin, Vec::new()).await?;
    let (held, ready) = host.count(Command::Apply { verify: true }).await?;
    ensure!(held == entries, "the list has {held} entries of {entries}");
    let (memory_bytes, _) = host.count(Command::Memory).await?;
    let hit_nanos = time(host, plan, entries, true).await?;
    let miss_nanos = time(host, plan, entries, false).await?;
    let verified = update::measure(host, &list, now, 0..plan.updates, true).await?;
    let more = plan.updates..2 * plan.updates;
    let unverified = update::measure(host, &list, now, more, false).await?;
    Ok(WholeRow {
        entries,
        segments: list.segments().len(),
        place: host.place(),
        hit_nanos,
        miss_nanos,
        ready,
        memory_bytes,
        verified,
        unverified,
    })
}

/// Nanoseconds for one name, the median of the rounds; every listed name must be found, and no
/// stranger.
async fn time(host: &mut Host, plan: &Plan, entries: u64, listed: bool) -> anyhow::Result<f64> {
    let count = plan.questions;
    let mut nanos = Vec::new();
    for round in 0..=plan.rounds {
        let prepare = if listed {
            Command::PrepareDrawn {
                entries,
                count,
                round,
            }
        } else {
            Command::PrepareStrangers { count, round }
        };
        host.order(prepare, Vec::new()).await?;
        let (found, took) = host.count(Command::AskList).await?;
        let expected = if listed { count } else { 0 };
        ensure!(found == expected, "the list knows {found} of {expected}");
        nanos.push(nanos_each(took, count));
    }
    let counted = Summary::of(nanos.into_iter().skip(1));
    Ok(counted.map_or(f64::NAN, |summary| summary.median))
}

fn trusted_issuer() -> anyhow::Result<Issuer> {
    let algorithm = shared::Algorithm::EdDsa;
    let signer = Signer::generate(algorithm, "bench-token")?;
    Ok(Issuer {
        iss: ISSUER.to_owned(),
        aud: "portcullis".to_owned(),
        typ: "at+jwt".to_owned(),
        algs: vec![algorithm],
        max_lifetime: TOKEN_LIFETIME_SECS,
        not_before: None,
        keys: serde_json::json!([signer.public_jwk()]),
    })
}

fn now() -> anyhow::Result<UnixSeconds> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(UnixSeconds::from_millis(u64::try_from(since.as_millis())?))
}
