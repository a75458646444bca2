//! The three services of the benchmark: what they are called and what a reader must know of each.

use std::path::PathBuf;

use stack::paths;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Portcullis,
    BareAxum,
    FastApi,
}

impl Service {
    pub(super) const ALL: [Self; 3] = [Self::Portcullis, Self::BareAxum, Self::FastApi];

    /// A name for databases, folders and logs.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Portcullis => "portcullis",
            Self::BareAxum => "bare-axum",
            Self::FastApi => "fastapi",
        }
    }

    /// What a reader of the table knows it by.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Portcullis => "**Portcullis**",
            Self::BareAxum => "plain axum",
            Self::FastApi => "FastAPI",
        }
    }

    pub(super) fn password_hash(self) -> &'static str {
        match self {
            Self::Portcullis | Self::BareAxum => "Argon2id, m = 19456 KiB, t = 2, p = 1",
            Self::FastApi => "bcrypt, cost 10",
        }
    }

    /// Where Redis keeps its keys.
    pub(super) fn redis_database(self) -> u8 {
        self as u8
    }

    /// Requests that one of its rounds may not run out of, where each needs a session of its own.
    pub(super) fn sessions_a_round(self) -> usize {
        match self {
            Self::Portcullis | Self::BareAxum => 6_000,
            Self::FastApi => 1_500,
        }
    }
}

/// The folder of a peer's source.
pub(super) fn peers() -> PathBuf {
    paths::workspace().join("tests/bench/peers")
}
