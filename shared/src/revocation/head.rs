//! The head of the list: a compact JWS, signed with a list key, that says when the list was made
//! and when it dies, whom the edge trusts, and which bytes belong to it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::error::{ListError, TokenError};
use crate::json;
use crate::jws::{CompactJws, media_type_is};
use crate::keys::KeySet;
use crate::revocation::segment::MAX_SEGMENTS;
use crate::time::UnixSeconds;
use crate::verify::{SignatureVerifier, select_key, verify_with_key};

/// The `typ` of a head: no token has it.
pub const HEAD_TYP: &str = "revocation-list+jwt";

/// The longest head in bytes, as a JWS.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The payload of a head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Who made the list.
    pub iss: String,
    /// When it was made: its age is counted from here.
    pub iat: UnixSeconds,
    /// When it dies: nobody decides by it any more, but for `grace`.
    pub exp: UnixSeconds,
    /// Its version: `max(previous + 1, unix milliseconds)`. An edge never goes back.
    pub ver: u64,
    /// Whose tokens are trusted, and by which keys.
    pub issuers: Vec<Issuer>,
    /// Seconds past `exp` that a route may be allowed to go on.
    #[serde(default)]
    pub grace: u64,
    /// The sealed parts.
    #[serde(default)]
    pub segments: Vec<SegmentRef>,
    /// The newest entries, whose bytes travel beside the head.
    pub tail: TailRef,
}

/// An issuer that the edge trusts, and what it asks of its tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issuer {
    /// The exact `iss` of its tokens.
    pub iss: String,
    /// The audience that its tokens must name.
    pub aud: String,
    /// The `typ` that its tokens must have.
    pub typ: String,
    /// The algorithms that it signs with.
    pub algs: Vec<Algorithm>,
    /// The longest `exp − iat` of its tokens, in seconds.
    pub max_lifetime: u64,
    /// Its tokens issued before this are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixSeconds>,
    /// Its public keys, an array of JWK. A key that is not here signs nothing.
    pub keys: serde_json::Value,
}

/// A sealed part of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRef {
    /// SHA-256 of its bytes in base64url.
    pub sha256: String,
    /// How many names it lists.
    pub count: u64,
    /// From when on no token that it names is alive.
    pub until: UnixSeconds,
}

/// The tail that belongs to a head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailRef {
    /// SHA-256 of the whole tail in base64url.
    pub sha256: String,
    /// How many entries it has.
    pub count: u64,
}

impl Head {
    /// The payload to sign.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Unwrap safety: every member is plain JSON under a string name.
        serde_json::to_string(self).expect("a head is plain JSON")
    }

    fn parse(payload: &[u8]) -> Result<Self, ListError> {
        // Strictly first: serde alone would let nested members repeat.
        json::parse_object(payload).map_err(|_| ListError::HeadPayload)?;
        let head: Self = serde_json::from_slice(payload).map_err(|_| ListError::HeadPayload)?;
        if head.exp <= head.iat {
            return Err(ListError::HeadTimes);
        }
        if head.segments.len() > MAX_SEGMENTS {
            return Err(ListError::TooManySegments);
        }
        if names_one_twice(head.issuers.iter().map(|issuer| &issuer.iss))
            || names_one_twice(head.segments.iter().map(|segment| &segment.sha256))
        {
            return Err(ListError::HeadPayload);
        }
        Ok(head)
    }
}

/// Which of two issuers of one name is meant, or how often a segment counts, would be a guess.
fn names_one_twice<'n>(names: impl Iterator<Item = &'n String>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().any(|name| !seen.insert(name))
}

/// A head as it came: well-formed, and nothing more.
#[derive(Debug)]
pub struct UnverifiedHead<'t> {
    text: &'t str,
    jws: CompactJws<'t>,
}

impl<'t> UnverifiedHead<'t> {
    /// Reads a compact JWS of the head's `typ`.
    pub fn parse(text: &'t str) -> Result<Self, ListError> {
        let jws = CompactJws::parse(text, MAX_HEAD_BYTES).map_err(|error| match error {
            TokenError::TooLong => ListError::HeadTooLong,
            _ => ListError::HeadMalformed,
        })?;
        match &jws.header.typ {
            Some(typ) if media_type_is(typ, HEAD_TYP) => Ok(Self { text, jws }),
            _ => Err(ListError::HeadWrongType),
        }
    }

    /// Asks `verifier` whether one of the pinned `list_keys` signed, then reads the payload.
    pub async fn verify_signature(
        self,
        list_keys: &KeySet,
        verifier: &impl SignatureVerifier,
    ) -> Result<SignedHead, ListError> {
        let key = select_key(&self.jws, list_keys).map_err(|_| ListError::HeadKeyUnknown)?;
        verify_with_key(&self.jws, key, verifier)
            .await
            .map_err(|error| match error {
                TokenError::EngineFailed => ListError::EngineFailed,
                _ => ListError::HeadSignatureInvalid,
            })?;
        Ok(SignedHead {
            head: Head::parse(&self.jws.payload)?,
            jws: self.text.to_owned(),
        })
    }
}

/// A head that a pinned list key signed.
#[derive(Clone, Debug)]
pub struct SignedHead {
    head: Head,
    jws: String,
}

impl SignedHead {
    /// What it says.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The text that was signed.
    #[must_use]
    pub fn jws(&self) -> &str {
        &self.jws
    }
}
