//! A refresh token as it is handed in, and the only form in which one is stored.

use secrecy::SecretString;
use sha2::{Digest, Sha256};

#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// A refresh token as it is handed in.
#[derive(Debug)]
pub struct Presented<'a> {
    pub token: &'a SecretString,
    /// The client that asks: a token works only for the client it was given to.
    pub client_id: &'a str,
    /// The scope of the next access token, if it is to have less than the session.
    pub scope: Option<&'a str>,
}
