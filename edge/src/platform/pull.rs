//! The pull lane's requests to the origin: the newest head, and segments by their hash.

use shared::{MAX_MESSAGE_BYTES, SegmentRef};

use super::http::{self, OriginRequest};
use crate::config::Config;
use crate::lanes::LaneError;

const SEGMENT_TIMEOUT_MS: u32 = 10_000;

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub struct PullQuestion {
    /// The version that is held; 0 for everything.
    pub after: u64,
    /// How long the origin may let the request hang.
    pub wait_secs: u64,
    pub timeout_ms: u32,
}

/// A list message newer than the one that is held; `None` if there is none.
pub async fn fetch_head(
    config: &Config,
    question: PullQuestion,
) -> Result<Option<Vec<u8>>, LaneError> {
    let PullQuestion {
        after,
        wait_secs,
        timeout_ms,
    } = question;
    let response = http::send(&OriginRequest {
        url: &format!(
            "{}/revocations/head?after={after}&wait={wait_secs}",
            config.origin_url
        ),
        secret: config.edge_secret.as_ref(),
        form: None,
        timeout_ms,
    })
    .await?;
    match response.status() {
        200 => http::read_body(&response, MAX_MESSAGE_BYTES)
            .await
            .map(Some),
        204 => Ok(None),
        status => Err(LaneError::Refused(status)),
    }
}

/// The bytes of a segment; whether they are the right ones is checked by whoever builds the list.
pub async fn fetch_segment(
    config: &Config,
    segment: &SegmentRef,
    max_bytes: usize,
) -> Result<Vec<u8>, LaneError> {
    let response = http::send(&OriginRequest {
        url: &format!(
            "{}/revocations/segments/{}",
            config.origin_url, segment.sha256
        ),
        secret: config.edge_secret.as_ref(),
        form: None,
        timeout_ms: SEGMENT_TIMEOUT_MS,
    })
    .await?;
    match response.status() {
        200 => http::read_body(&response, max_bytes).await,
        status => Err(LaneError::Refused(status)),
    }
}
