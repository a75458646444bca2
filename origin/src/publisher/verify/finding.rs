//! What can be wrong with a published list: each with its code, its words, and what to do about it.

use serde::{Serialize, Serializer};
use shared::ListError;

use super::lane::{Lane, LaneError};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Finding {
    #[error("no list has been published yet")]
    NothingPublished,
    #[error("a revocation has waited for its list for {secs:.1} s")]
    Unpublished { secs: f64 },
    #[error("{lane} cannot be read: {error}")]
    Unreachable { lane: Lane, error: LaneError },
    #[error("{lane} holds no list")]
    NoList { lane: Lane },
    #[error("{lane} holds a list that every edge refuses: {error}")]
    Refused { lane: Lane, error: ListError },
    #[error("{lane} lacks the segment {sha256} of its list")]
    SegmentLacking { lane: Lane, sha256: String },
    #[error("{lane} holds a list that was made {age_secs:.0} s ago")]
    Overdue { lane: Lane, age_secs: f64 },
    #[error("{lane} holds version {version}, behind the newest by {behind_secs:.1} s")]
    Behind {
        lane: Lane,
        version: u64,
        behind_secs: f64,
    },
    #[error("{lane} holds version {version}, which the database does not know")]
    UnknownVersion { lane: Lane, version: u64 },
    #[error("{lane} holds another head of version {version} than the database")]
    OtherHead { lane: Lane, version: u64 },
    #[error("{lane} holds a list with the segment {sha256}, which the database does not know")]
    UnknownSegment { lane: Lane, sha256: String },
    #[error(
        "the list of {lane} lacks {count} of the revocations that it should carry, e.g. {example}"
    )]
    RevocationsLacking {
        lane: Lane,
        count: u64,
        example: String,
    },
    #[error("the list of {lane} has {count} entries that no revocation in the database explains")]
    EntriesUnexplained { lane: Lane, count: u64 },
}

impl Finding {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingPublished => "nothing_published",
            Self::Unpublished { .. } => "unpublished",
            Self::Unreachable { error, .. } => error.code(),
            Self::NoList { .. } => "no_list",
            Self::Refused { error, .. } => error.code(),
            Self::SegmentLacking { .. } => "segment_lacking",
            Self::Overdue { .. } => "overdue",
            Self::Behind { .. } => "behind",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::OtherHead { .. } => "other_head",
            Self::UnknownSegment { .. } => "unknown_segment",
            Self::RevocationsLacking { .. } => "revocations_lacking",
            Self::EntriesUnexplained { .. } => "entries_unexplained",
        }
    }

    #[must_use]
    pub fn lane(&self) -> Option<Lane> {
        match self {
            Self::NothingPublished | Self::Unpublished { .. } => None,
            Self::Unreachable { lane, .. }
            | Self::NoList { lane }
            | Self::Refused { lane, .. }
            | Self::SegmentLacking { lane, .. }
            | Self::Overdue { lane, .. }
            | Self::Behind { lane, .. }
            | Self::UnknownVersion { lane, .. }
            | Self::OtherHead { lane, .. }
            | Self::UnknownSegment { lane, .. }
            | Self::RevocationsLacking { lane, .. }
            | Self::EntriesUnexplained { lane, .. } => Some(*lane),
        }
    }

    /// Whether it is wrong only while a list is on its way.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unpublished { .. }
                | Self::NoList { lane: Lane::Kv }
                | Self::SegmentLacking { .. }
                | Self::Behind { .. }
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NothingPublished => "start `portcullis serve`; it publishes at once",
            Self::Unpublished { .. } | Self::Overdue { .. } => {
                "is `portcullis serve` running? its log and `/health/ready` say why it does not publish"
            }
            Self::Unreachable { .. } => {
                "check its address and secret in the configuration, then the network"
            }
            Self::NoList { .. } | Self::SegmentLacking { .. } | Self::Behind { .. } => {
                "the origin puts it again within a minute; if not, its log says why"
            }
            Self::Refused {
                error: ListError::HeadKeyUnknown | ListError::HeadWrongIssuer,
                ..
            } => {
                "another origin publishes here, or this one has another list key: compare \
                 `portcullis keys show` and PORTCULLIS_ISSUER with those of the origin that serves"
            }
            Self::Refused { .. } => {
                "the origin puts its own again within a minute; find out who else may write there"
            }
            Self::UnknownVersion { .. } | Self::UnknownSegment { .. } => {
                "another origin publishes here, or the database was restored from a backup: then a \
                 heartbeat mends it"
            }
            Self::OtherHead { .. } => {
                "two origins sign with one list key on different databases: stop one of them"
            }
            Self::RevocationsLacking { .. } => {
                "revoke those again with `portcullis revoke`, and report it: it must not happen"
            }
            Self::EntriesUnexplained { .. } => {
                "rows were deleted by hand, or someone else signs with the list key"
            }
        }
    }
}

#[derive(Serialize)]
struct Shown {
    lane: Option<Lane>,
    code: &'static str,
    detail: String,
    remedy: &'static str,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            lane: self.lane(),
            code: self.code(),
            detail: self.to_string(),
            remedy: self.remedy(),
        };
        shown.serialize(serializer)
    }
}
