//! Fresh identifiers and secrets from the operating system's generator, in base64url.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ApiError;

/// 128 random bits, 22 characters: a `jti`, a `sid`, the id of a row.
pub fn new_id() -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

/// 256 random bits, 43 characters: a refresh token or a client secret.
pub fn new_secret() -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| ApiError::Internal("no random numbers"))?;
    Ok(bytes)
}
