//! Secrets that travel by mail: who shows one reads the mail of that address. Made at the moment
//! when the mail is sent, stored as a hash, good for one use and one purpose.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use shared::UnixSeconds;

use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::store::mailed_tokens::{self, Purpose};
use crate::store::{self, users};

const RESET_LIVES_SECS: u64 = 3600;
const VERIFY_LIVES_SECS: u64 = 24 * 3600;

/// A new token for the user with this address, in place of an earlier one; `None` where nobody may
/// have it.
pub async fn mint(
    app: &App,
    purpose: Purpose,
    email: &str,
    now: UnixSeconds,
) -> Result<Option<SecretString>, ApiError> {
    let mut tx = store::begin(&app.pool).await?;
    let Some(user) = users::lock_by_email(&mut tx, email, now).await? else {
        return Ok(None);
    };
    let has_no_use_for_it = purpose == Purpose::VerifyEmail && user.email_verified_at.is_some();
    if user.disabled_at.is_some() || has_no_use_for_it {
        return Ok(None);
    }
    let token = SecretString::from(random::new_secret()?);
    let expires_at = now.plus_secs(lives_secs(purpose));
    mailed_tokens::replace(&mut tx, purpose, &user.id, &hash(&token), expires_at).await?;
    store::commit(tx).await?;
    Ok(Some(token))
}

#[must_use]
pub fn hash(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

fn lives_secs(purpose: Purpose) -> u64 {
    match purpose {
        Purpose::ResetPassword => RESET_LIVES_SECS,
        Purpose::VerifyEmail => VERIFY_LIVES_SECS,
    }
}
