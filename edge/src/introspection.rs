//! The origin's answer about one token (RFC 7662, section 2.2), read strictly.
//!
//! Whatever is not plainly "active" with the names that an identity needs is a failure or a no,
//! never a yes. Knows nothing of how the question is sent.

use serde::Deserialize;
use shared::UnixSeconds;

use crate::identity::Identity;

/// The longest answer that is read.
pub const MAX_INTROSPECTION_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    Active(Identity),
    NotActive,
}

/// An answer, and how long it may be believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Introspected {
    pub introspection: Introspection,
    /// The token's end; a token that is not active has none left.
    exp: Option<UnixSeconds>,
    max_age_secs: u64,
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
    exp: Option<UnixSeconds>,
}

impl Introspected {
    /// Reads the body of an answer, and its `Cache-Control` where it has one.
    pub fn parse(body: &[u8], cache_control: Option<&str>) -> Result<Self, IntrospectionError> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|_| IntrospectionError::Unreadable)?;
        let exp = answer.exp;
        Ok(Self {
            introspection: Introspection::read(answer)?,
            exp,
            max_age_secs: cache_control.map_or(0, parse_max_age),
        })
    }

    /// Until when an answer to a question of `asked_at` holds: not past the token's own end.
    #[must_use]
    pub fn ends_at(&self, asked_at: UnixSeconds) -> UnixSeconds {
        let by_age = asked_at.plus_secs(self.max_age_secs);
        match (&self.introspection, self.exp) {
            (Introspection::Active(_), None) => asked_at,
            (Introspection::Active(_), Some(exp)) if exp < by_age => exp,
            _ => by_age,
        }
    }
}

impl Introspection {
    fn read(answer: Answer) -> Result<Self, IntrospectionError> {
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

    /// How much text it holds.
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Self::NotActive => 0,
            Self::Active(identity) => {
                let optional = [&identity.session, &identity.scope];
                let optional = optional.into_iter().flatten().map(String::len);
                identity.subject.len() + identity.token_id.len() + optional.sum::<usize>()
            }
        }
    }
}

/// Seconds for which an answer may be kept (RFC 9111, section 5.2.2). What is not understood, said
/// twice or forbidden is 0.
fn parse_max_age(cache_control: &str) -> u64 {
    let directives = cache_control.split(',').map(str::trim);
    let is_forbidden = |directive: &str| {
        let name = directive.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache")
    };
    if directives.clone().any(is_forbidden) {
        return 0;
    }
    let mut ages = directives.filter_map(|directive| {
        let (name, secs) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then_some(secs)
    });
    match (ages.next(), ages.next()) {
        (Some(secs), None) => secs.parse().unwrap_or(0),
        _ => 0,
    }
}
