//! Table `mailed_tokens`: hashes of the secrets that were mailed. A row is worth one use, and there
//! is one at most for each purpose of a user. Lock the user's row first: then nobody changes it.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::in_time::InTime;
use super::{Transaction, to_millis};

/// What a mailed token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ResetPassword,
    VerifyEmail,
}

impl Purpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
        }
    }
}

/// In place of the one that was there before.
pub async fn replace(
    tx: &mut Transaction,
    purpose: Purpose,
    user_id: &str,
    hash: &[u8],
    expires_at: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO mailed_tokens (purpose, user_id, hash, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (purpose, user_id) DO UPDATE SET hash = $3, expires_at = $4",
    )
    .bind(purpose.as_str())
    .bind(user_id)
    .bind(hash)
    .bind(to_millis(expires_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// The user of a token that is still good. It says nothing about the next moment: see [`take`].
pub async fn find_user(
    pool: &AnyPool,
    purpose: Purpose,
    hash: &[u8],
    now: UnixSeconds,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT user_id FROM mailed_tokens WHERE purpose = $1 AND hash = $2 AND expires_at > $3",
    )
    .bind(purpose.as_str())
    .bind(hash)
    .bind(to_millis(now))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Uses a token up: of any number who try, one gets `Some`.
pub async fn take(
    tx: &mut Transaction,
    purpose: Purpose,
    hash: &[u8],
    now: UnixSeconds,
) -> sqlx::Result<Option<()>> {
    let done = sqlx::query(
        "DELETE FROM mailed_tokens WHERE purpose = $1 AND hash = $2 AND expires_at > $3",
    )
    .bind(purpose.as_str())
    .bind(hash)
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok((done.rows_affected() == 1).then_some(()))
}

/// Makes the user's token for this purpose worthless.
pub async fn void(tx: &mut Transaction, purpose: Purpose, user_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM mailed_tokens WHERE purpose = $1 AND user_id = $2")
        .bind(purpose.as_str())
        .bind(user_id)
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// Makes every token of the user worthless.
pub async fn void_all(tx: &mut Transaction, user_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM mailed_tokens WHERE user_id = $1")
        .bind(user_id)
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

pub async fn delete_expired(pool: &AnyPool, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM mailed_tokens WHERE expires_at <= $1")
        .bind(to_millis(now))
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}
