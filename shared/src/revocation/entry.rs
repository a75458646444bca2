//! One revocation as the list holds it: which name, and which of its tokens. A token is revoked if
//! any of its names has an entry whose `before` is later than its `iat`; entries combine by max.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{SessionId, SubjectId, TokenId};
use crate::time::UnixSeconds;

/// What a revocation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One token, by `(iss, jti)`.
    Token,
    /// Every token of a session, by `(iss, sid)`.
    Session,
    /// The tokens of a user up to a time, by `(iss, sub)`.
    User,
    /// The tokens of an issuer up to a time, by `iss`. Travels as `not_before` in the head.
    Issuer,
}

impl Scope {
    /// Reads the name as it stands in requests and stores.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Token, Self::Session, Self::User, Self::Issuer]
            .into_iter()
            .find(|scope| scope.as_str() == name)
    }

    /// The name as it stands in requests and stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::User => "user",
            Self::Issuer => "issuer",
        }
    }

    /// The byte that keeps names of different scopes apart in a fingerprint.
    const fn tag(self) -> u8 {
        match self {
            Self::Token => 1,
            Self::Session => 2,
            Self::User => 3,
            Self::Issuer => 4,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first 64 bits of `SHA-256(scope ‖ length of iss ‖ iss ‖ name)`: whole in the tail, of which
/// segments keep the first 56. Those of ten million entries a name that is not listed meets one with
/// probability 1.4·10⁻¹⁰.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a name of `issuer`. The length of `iss` is a big-endian `u64`, so that
    /// no other pair of issuer and name has the same bytes.
    #[must_use]
    pub fn of(scope: Scope, issuer: &str, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update([scope.tag()]);
        hash.update((issuer.len() as u64).to_be_bytes());
        hash.update(issuer);
        hash.update(name);
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_at(size_of::<u64>());
        Self(
            first
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }
}

/// Which tokens of a name are revoked: those issued before. [`Before::Always`] is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Before {
    /// Those issued before this time. A token issued at it lives.
    Time(UnixSeconds),
    /// All of them, whenever issued.
    Always,
}

impl Before {
    /// Whether a token issued at `iat` is revoked.
    #[must_use]
    pub fn is_after(self, iat: UnixSeconds) -> bool {
        match self {
            Self::Always => true,
            Self::Time(time) => time > iat,
        }
    }
}

/// A line of the list. Issuer cut-offs are not entries but `not_before` in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whom it concerns.
    pub fingerprint: Fingerprint,
    /// Which of their tokens.
    pub before: Before,
}

impl Entry {
    /// Revokes one token.
    #[must_use]
    pub fn token(issuer: &str, jti: &TokenId) -> Self {
        let fingerprint = Fingerprint::of(Scope::Token, issuer, jti.as_str());
        Self {
            fingerprint,
            before: Before::Always,
        }
    }

    /// Revokes a session.
    #[must_use]
    pub fn session(issuer: &str, sid: &SessionId) -> Self {
        let fingerprint = Fingerprint::of(Scope::Session, issuer, sid.as_str());
        Self {
            fingerprint,
            before: Before::Always,
        }
    }

    /// Revokes the tokens of a user issued before `before`.
    #[must_use]
    pub fn user(issuer: &str, sub: &SubjectId, before: UnixSeconds) -> Self {
        let fingerprint = Fingerprint::of(Scope::User, issuer, sub.as_str());
        Self {
            fingerprint,
            before: Before::Time(before),
        }
    }
}

/// What the list says of a valid token: never a bool, and never an answer without a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationStatus {
    /// No name of the token has an entry later than its `iat`.
    NotRevoked,
    /// The token itself was revoked.
    TokenRevoked,
    /// Its session was closed.
    SessionRevoked,
    /// Its user's sessions were all revoked after it was issued.
    UserCutOff,
    /// Its issuer's tokens were all revoked after it was issued.
    IssuerCutOff,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_spares_the_token_issued_in_its_second() {
        let before = Before::Time(UnixSeconds::from_secs(100));
        assert!(before.is_after(UnixSeconds::from_f64(99.999).unwrap()));
        assert!(!before.is_after(UnixSeconds::from_secs(100)));
        assert!(Before::Always.is_after(UnixSeconds::from_secs(u64::MAX)));
    }

    #[test]
    fn always_is_the_greatest() {
        assert!(Before::Always > Before::Time(UnixSeconds::from_secs(u64::MAX)));
    }

    #[test]
    fn no_two_pairs_of_issuer_and_name_run_together() {
        let one = Fingerprint::of(Scope::Token, "https://a", "bc");
        assert_ne!(one, Fingerprint::of(Scope::Token, "https://ab", "c"));
        assert_ne!(one, Fingerprint::of(Scope::Session, "https://a", "bc"));
    }

    #[test]
    fn fingerprints_are_what_the_format_says() {
        // printf '\001\000\000\000\000\000\000\000\001ib' | sha256sum
        assert_eq!(
            Fingerprint::of(Scope::Token, "i", "b"),
            Fingerprint(0x9544_2a44_eae7_cbfd)
        );
    }
}
