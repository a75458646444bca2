//! Why an observation failed, each with its code; and why there is no canary at all.

use std::io;
use std::path::PathBuf;

use crate::error::ApiError;

/// The codes of all failures.
pub(crate) const CODES: [&str; 5] = [
    "canary_log_in_failed",
    "canary_log_out_failed",
    "edge_unreachable",
    "good_token_refused",
    "bound_broken",
];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the canary cannot log in: {cause}")]
    LogIn { cause: &'static str },
    #[error("the canary cannot log out: {cause}")]
    LogOut { cause: &'static str },
    #[error("the edge cannot be reached")]
    EdgeUnreachable { edge: String },
    #[error("the edge does not let a good token through: status {status}, code {code:?}")]
    GoodTokenRefused {
        edge: String,
        status: u16,
        code: String,
    },
    #[error("the edge lets a revoked token through past `effective_by`")]
    BoundBroken { edge: String },
}

impl Failure {
    pub(super) fn log_in(error: &ApiError) -> Self {
        Self::LogIn {
            cause: error.code(),
        }
    }

    pub(super) fn log_out(error: &ApiError) -> Self {
        Self::LogOut {
            cause: error.code(),
        }
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::LogIn { .. } => "canary_log_in_failed",
            Self::LogOut { .. } => "canary_log_out_failed",
            Self::EdgeUnreachable { .. } => "edge_unreachable",
            Self::GoodTokenRefused { .. } => "good_token_refused",
            Self::BoundBroken { .. } => "bound_broken",
        }
    }

    /// The edge that it is about.
    #[must_use]
    pub fn edge(&self) -> Option<&str> {
        match self {
            Self::LogIn { .. } | Self::LogOut { .. } => None,
            Self::EdgeUnreachable { edge }
            | Self::GoodTokenRefused { edge, .. }
            | Self::BoundBroken { edge } => Some(edge),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    #[error("the file {} cannot be read or written (PORTCULLIS_DATA_DIR)", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the file {} is damaged; delete it, and the canary gets a new user", path.display())]
    Damaged { path: PathBuf },
    #[error("the random generator failed")]
    NoRandom,
    #[error("PORTCULLIS_CANARY_EDGES: {0} cannot be the base of an address")]
    BadEdge(String),
    #[error("the HTTP client cannot be set up")]
    ClientFailed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_code_of_its_own_among_those_that_are_counted() {
        let (edge, code) = (String::new(), String::new());
        let failures = [
            Failure::LogIn { cause: "" },
            Failure::LogOut { cause: "" },
            Failure::EdgeUnreachable { edge: edge.clone() },
            Failure::GoodTokenRefused {
                edge: edge.clone(),
                status: 0,
                code,
            },
            Failure::BoundBroken { edge },
        ];
        assert_eq!(failures.map(|failure| failure.code()), CODES);
    }
}
