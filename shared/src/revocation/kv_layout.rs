//! Which key of Workers KV holds what: written by the origin, read by the edge, named only here.

/// The newest list message, with the whole tail.
pub const KV_HEAD_KEY: &str = "list/head";

/// The segment with this content address. Its value never changes.
#[must_use]
pub fn kv_segment_key(sha256: &str) -> String {
    format!("list/segment/{sha256}")
}
