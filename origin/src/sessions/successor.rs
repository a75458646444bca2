//! The successor of a used refresh token, kept so that only the holder of that token can be shown it
//! again: sealed with AES-256-GCM under a key derived from the token, of which the store has no more
//! than another hash.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// A key seals one text only, ever: its token is used up once. So the nonce may be fixed.
const NONCE: [u8; 12] = [0; 12];
const KEY_DOMAIN: &[u8] = b"portcullis refresh successor v1\0";

pub(super) fn seal(presented: &str, successor: &str) -> Result<Vec<u8>, ApiError> {
    let mut sealed = successor.as_bytes().to_vec();
    key(presented)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(NONCE),
            Aad::empty(),
            &mut sealed,
        )
        .map_err(|_| ApiError::Internal("a successor could not be sealed"))?;
    Ok(sealed)
}

pub(super) fn open(presented: &str, mut sealed: Vec<u8>) -> Result<String, ApiError> {
    let opened = key(presented)?
        .open_in_place(
            Nonce::assume_unique_for_key(NONCE),
            Aad::empty(),
            &mut sealed,
        )
        .map_err(|_| ApiError::Internal("a sealed successor could not be opened"))?;
    String::from_utf8(opened.to_vec())
        .map_err(|_| ApiError::Internal("a sealed successor is not text"))
}

/// The token is 256 random bits, so one hash is a derivation enough; the prefix keeps this hash
/// apart from the one that the store looks tokens up by.
fn key(presented: &str) -> Result<LessSafeKey, ApiError> {
    let digest = Sha256::new()
        .chain_update(KEY_DOMAIN)
        .chain_update(presented)
        .finalize();
    UnboundKey::new(&AES_256_GCM, &digest)
        .map(LessSafeKey::new)
        .map_err(|_| ApiError::Internal("a sealing key has the wrong length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_presented_token_opens_its_successor() {
        let sealed = seal("presented", "successor").unwrap();
        assert_eq!(open("presented", sealed.clone()).unwrap(), "successor");
        assert!(open("another", sealed.clone()).is_err());
        assert!(!sealed.windows(9).any(|window| window == b"successor"));
    }
}
