//! The list as one lane has it: fetched, verified and completed by the rules of an edge.

use shared::{
    ListMessage, ListPins, NativeVerifier, RevocationList, SegmentRef, UnixSeconds, VerifiedMessage,
};

use super::LaneReport;
use super::finding::Finding;
use super::lane::{Lane, Source};

/// A list that an edge would take from this lane.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) lane: Lane,
    pub(super) list: RevocationList,
    /// The signed head, a compact JWS.
    pub(super) head: String,
    /// The whole tail.
    pub(super) tail: Vec<u8>,
}

impl Copy {
    pub(super) async fn fetch(
        source: &Source,
        pins: &ListPins,
        now: UnixSeconds,
    ) -> Result<Self, Finding> {
        let lane = source.lane();
        let refused = |error| Finding::Refused { lane, error };
        let json = source.find_message().await;
        let json = json
            .map_err(|error| Finding::Unreachable { lane, error })?
            .ok_or(Finding::NoList { lane })?;
        let message = ListMessage::parse(&json).map_err(refused)?;
        let verified = RevocationList::verify(&message, pins, &NativeVerifier, now).await;
        let verified = verified.map_err(refused)?;
        let segments = fetch_segments(source, &verified).await?;
        let list = verified.build(None, segments).map_err(refused)?;
        Ok(Self {
            lane,
            list,
            head: message.head,
            tail: message.tail,
        })
    }

    /// Older than two lists in a row that did not come, or than half its life.
    pub(super) fn find_overdue(&self, heartbeat_secs: u64, now: UnixSeconds) -> Option<Finding> {
        let head = self.list.head();
        let half_life_secs = head.exp.secs_since(head.iat) / 2.0;
        let two_beats = head.iat.plus_secs(2 * heartbeat_secs);
        let age_secs = self.list.age_secs(now);
        (now > two_beats && age_secs > half_life_secs).then_some(Finding::Overdue {
            lane: self.lane,
            age_secs,
        })
    }

    pub(super) fn report(&self, now: UnixSeconds) -> LaneReport {
        LaneReport {
            lane: self.lane,
            version: self.list.version(),
            age_secs: self.list.age_secs(now),
            entries: self.list.entry_count(),
            segments: self.list.head().segments.len(),
        }
    }
}

async fn fetch_segments(
    source: &Source,
    verified: &VerifiedMessage,
) -> Result<Vec<(SegmentRef, Vec<u8>)>, Finding> {
    let lane = source.lane();
    let mut fetched = Vec::new();
    for segment in verified.missing_segments(None) {
        let bytes = source.find_segment(&segment.sha256).await;
        let bytes = bytes
            .map_err(|error| Finding::Unreachable { lane, error })?
            .ok_or_else(|| Finding::SegmentLacking {
                lane,
                sha256: segment.sha256.clone(),
            })?;
        fetched.push((segment, bytes));
    }
    Ok(fetched)
}
