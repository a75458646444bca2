//! The name of immutable bytes: their SHA-256 in base64url, 43 characters.

use sha2::{Digest, Sha256};

use crate::base64url;

pub(super) fn of(bytes: &[u8]) -> String {
    base64url::encode(&Sha256::digest(bytes))
}
