//! The origin's answer about one token (RFC 7662, section 2.2), read strictly.
//!
//! Whatever is not plainly "active" with the names that an identity needs is a failure or a no,
//! never a yes. Knows nothing of how the question is sent.

use serde::Deserialize;

use crate::identity::Identity;

/// The longest answer that is read.
pub const MAX_INTROSPECTION_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    Active(Identity),
    NotActive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionError {
    #[error("The origin could not be reached to ask about the token")]
    Unreachable,
    #[error("The origin refused to answer about the token")]
    Refused,
    #[error("The origin's answer about the token could not be read")]
    Unreadable,
}

impl IntrospectionError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "introspection_unreachable",
            Self::Refused => "introspection_refused",
            Self::Unreadable => "introspection_unreadable",
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    active: bool,
    sub: Option<String>,
    sid: Option<String>,
    scope: Option<String>,
    jti: Option<String>,
}

impl Introspection {
    pub fn parse(body: &[u8]) -> Result<Self, IntrospectionError> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|_| IntrospectionError::Unreadable)?;
        if !answer.active {
            return Ok(Self::NotActive);
        }
        let (Some(subject), Some(token_id)) = (answer.sub, answer.jti) else {
            return Err(IntrospectionError::Unreadable);
        };
        Ok(Self::Active(Identity {
            subject,
            session: answer.sid,
            scope: answer.scope,
            token_id,
        }))
    }
}
