//! The revocation list: entries, and the signed head, tail and segments that carry them.

mod checked_segment;
mod content_address;
mod entry;
mod head;
mod kv_layout;
mod list;
mod message;
mod names;
mod segment;
mod tail;

pub use checked_segment::{CheckedSegment, DigestFailed, Digester};
pub use entry::{Before, Entry, Fingerprint, RevocationStatus, Scope};
pub use head::{
    HEAD_TYP, Head, Issuer, MAX_HEAD_BYTES, SegmentRef, SignedHead, TailRef, UnverifiedHead,
};
pub use kv_layout::{KV_HEAD_KEY, kv_segment_key};
pub use list::{ListPins, RevocationList, TrustedIssuer, VerifiedMessage};
pub use message::{ListMessage, MAX_MESSAGE_BYTES};
pub(crate) use names::Names;
pub use segment::{MAX_SEGMENT_BYTES, MAX_SEGMENTS, Segment};
pub use tail::{MAX_TAIL_BYTES, Tail, encoded_len};
