//! Whether the list is everywhere what the database says: reads each lane as an edge does, and holds
//! what it finds against the rows. It changes nothing; the reconciler repairs.

mod agreement;
mod copy;
mod finding;
mod lane;
mod pull_client;

use std::time::Duration;

use serde::Serialize;
use shared::{ListPins, UnixSeconds};
use sqlx::AnyPool;

use crate::clock::Clock;
use crate::store::list;
use crate::store::receipts;

use self::copy::Copy;

pub use finding::Finding;
pub use lane::{Lane, LaneError, Source};
pub use pull_client::{PullClient, PullError};

/// A list may be on its way, or about to be made, for this long.
const PATIENCE_SECS: u64 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// What to compare.
#[derive(Debug)]
pub struct Subject<'a> {
    pub pool: &'a AnyPool,
    pub sources: &'a [Source],
    pub pins: &'a ListPins,
    /// Seconds between two lists.
    pub heartbeat_secs: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The newest list, as the database has it.
    pub version: Option<u64>,
    pub lanes: Vec<LaneReport>,
    pub findings: Vec<Finding>,
}

/// A lane whose list an edge would take.
#[derive(Debug, Serialize)]
pub struct LaneReport {
    pub lane: Lane,
    pub version: u64,
    pub age_secs: f64,
    pub entries: u64,
    pub segments: usize,
}

/// Looks until all agrees, or something is wrong that no time mends, or [`PATIENCE_SECS`] are over.
pub async fn verify(subject: &Subject<'_>, clock: &dyn Clock) -> sqlx::Result<Verdict> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(PATIENCE_SECS);
    loop {
        let verdict = look(subject, clock.now()).await?;
        let may_mend = verdict.findings.iter().all(Finding::may_pass);
        if verdict.findings.is_empty() || !may_mend || tokio::time::Instant::now() >= deadline {
            return Ok(verdict);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One look. The newest version is read first: a lane that is behind it was behind all the time.
pub async fn look(subject: &Subject<'_>, now: UnixSeconds) -> sqlx::Result<Verdict> {
    let newest = list::find_newest_version(subject.pool).await?;
    let mut findings = Vec::new();
    if newest.is_none() {
        findings.push(Finding::NothingPublished);
    }
    findings.extend(find_waiting(subject.pool, now).await?);
    let mut copies = Vec::new();
    for source in subject.sources {
        match Copy::fetch(source, subject.pins, now).await {
            Ok(copy) => copies.push(copy),
            Err(finding) => findings.push(finding),
        }
    }
    for copy in &copies {
        findings.extend(copy.find_overdue(subject.heartbeat_secs, now));
    }
    findings.extend(agreement::find_differences(subject.pool, &copies, newest, now).await?);
    Ok(Verdict {
        version: newest,
        lanes: copies.iter().map(|copy| copy.report(now)).collect(),
        findings,
    })
}

/// A revocation that waits for its list for longer than any publication takes.
async fn find_waiting(pool: &AnyPool, now: UnixSeconds) -> sqlx::Result<Option<Finding>> {
    let oldest = receipts::find_publishing(pool).await?.oldest_unpublished_at;
    Ok(oldest
        .filter(|at| at.plus_secs(1) < now)
        .map(|at| Finding::Unpublished {
            secs: now.secs_since(at),
        }))
}
