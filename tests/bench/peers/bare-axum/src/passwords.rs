//! Argon2id with the origin's parameters, on tokio's threads for blocking work.

use anyhow::anyhow;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::task::spawn_blocking;

fn argon2id() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

pub(crate) async fn hash(password: String) -> anyhow::Result<String> {
    spawn_blocking(move || {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt)?;
        let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow!("{error}"))?;
        let hash = argon2id()?.hash_password(password.as_bytes(), &salt);
        Ok(hash.map_err(|error| anyhow!("{error}"))?.to_string())
    })
    .await?
}

pub(crate) async fn is_right(password: String, stored: String) -> anyhow::Result<bool> {
    spawn_blocking(move || {
        let stored = PasswordHash::new(&stored).map_err(|error| anyhow!("{error}"))?;
        Ok(argon2id()?
            .verify_password(password.as_bytes(), &stored)
            .is_ok())
    })
    .await?
}
