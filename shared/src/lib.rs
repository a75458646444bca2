//! What an access token is, when it is valid, and what the revocation list is.
//!
//! In scope: strict parsing of compact JWS, key sets, verification as types that only go forward,
//! the rules of revocation, the list on the wire and in memory. One source, native and Wasm.
//!
//! Out of scope: clocks, random numbers, the network, files, targets, HTTP. Time, keys, list and
//! policy are arguments; whoever calls decides what an answer means for a request.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod algorithm;
mod base64url;
mod claims;
pub mod corpus;
mod curve;
mod error;
mod ids;
mod json;
mod jws;
mod keys;
#[cfg(feature = "jsonwebtoken")]
mod native;
mod retention;
mod revocation;
mod time;
mod validate;
mod verify;

pub use algorithm::Algorithm;
pub use claims::{ACCESS_TOKEN_TYP, Claims};
pub use error::{IdError, KeyError, KeySetError, ListError, TokenError};
pub use ids::{KeyId, SessionId, SubjectId, TokenId};
pub use jws::MAX_TOKEN_BYTES;
pub use keys::{KeyMaterial, KeySet, RefusedKey, VerifyingKey};
#[cfg(feature = "jsonwebtoken")]
pub use native::{NativeVerifier, verify_now};
pub use retention::{LEEWAY_SECS, retain_until};
pub use revocation::{
    Before, CheckedSegment, DigestFailed, Digester, Entry, Fingerprint, HEAD_TYP, Head, Issuer,
    KV_HEAD_KEY, ListMessage, ListPins, MAX_HEAD_BYTES, MAX_MESSAGE_BYTES, MAX_SEGMENT_BYTES,
    MAX_SEGMENTS, MAX_TAIL_BYTES, RevocationList, RevocationStatus, Scope, Segment, SegmentRef,
    SignedHead, Tail, TailRef, TrustedIssuer, UnverifiedHead, VerifiedMessage, encoded_len,
    kv_segment_key,
};
pub use time::UnixSeconds;
pub use validate::{ValidToken, ValidationPolicy};
pub use verify::{SignatureCheck, SignatureError, SignatureVerifier, SignedToken, UnverifiedToken};
