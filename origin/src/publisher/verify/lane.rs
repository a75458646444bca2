//! The two lanes from the outside: what KV holds, and what the origin answers to an edge.

use std::fmt;

use serde::Serialize;
use shared::{KV_HEAD_KEY, MAX_MESSAGE_BYTES, MAX_SEGMENT_BYTES, kv_segment_key};

use super::pull_client::{PullClient, PullError};
use crate::publisher::kv_client::{KvClient, KvError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Kv,
    Pull,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kv => "KV",
            Self::Pull => "the pull lane",
        })
    }
}

/// Where a lane is read.
#[derive(Debug)]
pub enum Source {
    Kv(KvClient),
    Pull(PullClient),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    #[error(transparent)]
    Kv(#[from] KvError),
    #[error(transparent)]
    Pull(#[from] PullError),
}

impl LaneError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Kv(error) => error.code(),
            Self::Pull(error) => error.code(),
        }
    }
}

impl Source {
    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Kv(_) => Lane::Kv,
            Self::Pull(_) => Lane::Pull,
        }
    }

    /// The list message with the whole tail.
    pub(super) async fn find_message(&self) -> Result<Option<Vec<u8>>, LaneError> {
        Ok(match self {
            Self::Kv(kv) => kv.find(KV_HEAD_KEY, MAX_MESSAGE_BYTES).await?,
            Self::Pull(pull) => pull.find_message().await?,
        })
    }

    pub(super) async fn find_segment(&self, sha256: &str) -> Result<Option<Vec<u8>>, LaneError> {
        Ok(match self {
            Self::Kv(kv) => kv.find(&kv_segment_key(sha256), MAX_SEGMENT_BYTES).await?,
            Self::Pull(pull) => pull.find_segment(sha256).await?,
        })
    }
}
