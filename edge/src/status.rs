//! What `GET /.portcullis/status` shows an operator: the list, the lanes, the caches. Plain data.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::UnixSeconds;

use crate::config::Switch;
use crate::lanes::{Lanes, PullState};
use crate::list_cache::{HeldList, Lane, ListCache};
use crate::verified_cache::{CacheCounters, VerifiedCache};

/// The paths that the edge answers itself; none of them is ever forwarded.
pub const OWN_PREFIX: &str = "/.portcullis/";
pub const STATUS_PATH: &str = "/.portcullis/status";
/// Asked for whatever the routes say: the page is for operators.
pub const STATUS_SCOPE: &str = "operator";

#[derive(Debug, Serialize)]
pub struct Status<'a> {
    pub list: Option<ListStatus>,
    pub pull_lane: PullLaneStatus,
    pub verified_cache: VerifiedCacheStatus,
    /// How often lanes failed and copies of the list were dropped, by code.
    pub list_faults: &'a BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
pub struct ListStatus {
    pub version: u64,
    pub age_secs: f64,
    pub iat: UnixSeconds,
    pub exp: UnixSeconds,
    pub entries: u64,
    pub segments: usize,
    pub tail_entries: u64,
    /// The lane that brought it.
    pub lane: Lane,
}

#[derive(Debug, Serialize)]
pub struct PullLaneStatus {
    pub enabled: bool,
    pub state: PullState,
    pub failures: u32,
    pub answered_at: Option<UnixSeconds>,
}

#[derive(Debug, Serialize)]
pub struct VerifiedCacheStatus {
    pub entries: usize,
    pub bytes: usize,
    #[serde(flatten)]
    pub counters: CacheCounters,
}

/// The document, as JSON.
#[must_use]
pub fn build_status(
    lists: &ListCache,
    lanes: &Lanes,
    tokens: &VerifiedCache,
    pull_lane: Switch,
    now: UnixSeconds,
) -> String {
    let status = Status {
        list: lists.current().map(|held| list_status(held, now)),
        pull_lane: PullLaneStatus {
            enabled: pull_lane == Switch::On,
            state: lanes.pull_state(now),
            failures: lanes.pull_failures(),
            answered_at: lanes.pull_answered_at(),
        },
        verified_cache: VerifiedCacheStatus {
            entries: tokens.entry_count(),
            bytes: tokens.bytes(),
            counters: tokens.counters(),
        },
        list_faults: lists.faults(),
    };
    // Unwrap safety: numbers, strings and maps with string keys always serialise.
    serde_json::to_string(&status).expect("a status is plain JSON")
}

fn list_status(HeldList { list, lane }: &HeldList, now: UnixSeconds) -> ListStatus {
    let head = list.head();
    ListStatus {
        version: list.version(),
        age_secs: round_to_millis(list.age_secs(now)),
        iat: head.iat,
        exp: head.exp,
        entries: list.entry_count(),
        segments: head.segments.len(),
        tail_entries: head.tail.count,
        lane: *lane,
    }
}

/// Seconds with at most three decimals, so that a page or a log line shows no noise.
#[must_use]
pub fn round_to_millis(secs: f64) -> f64 {
    (secs * 1000.0).round() / 1000.0
}
