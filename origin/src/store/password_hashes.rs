//! Table `users`: the hash of each password. Only who checks or changes a password reads it, or writes it.

use shared::UnixSeconds;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::users::{User, user};
use super::{Transaction, to_millis};

/// The user of this id, and the hash.
pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<(User, String)>> {
    sqlx::query(
        "SELECT id, email, email_verified_at, name, roles, disabled_at, created_at, password_hash
         FROM users WHERE id = $1",
    )
    .bind(id)
    .try_map(|row| Ok((user(&row)?, row.try_get("password_hash")?)))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// The user of this address, and the hash.
pub async fn find_by_email(pool: &AnyPool, email: &str) -> sqlx::Result<Option<(User, String)>> {
    sqlx::query(
        "SELECT id, email, email_verified_at, name, roles, disabled_at, created_at, password_hash
         FROM users WHERE email = $1",
    )
    .bind(email)
    .try_map(|row| Ok((user(&row)?, row.try_get("password_hash")?)))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Stamps the log-in and, with it, takes the row's lock: a log-in and whatever ends all sessions of
/// one user happen one after the other. `None` if the user is gone or disabled by now, or has
/// another password than the one that was checked.
pub async fn lock_for_login(
    tx: &mut Transaction,
    id: &str,
    checked_hash: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<User>> {
    sqlx::query(
        "UPDATE users SET last_login_at = $3
         WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL
         RETURNING id, email, email_verified_at, name, roles, disabled_at, created_at",
    )
    .bind(id)
    .bind(checked_hash)
    .bind(to_millis(now))
    .try_map(|row| user(&row))
    .fetch_optional(&mut **tx)
    .in_time()
    .await
}

/// A new password by a token that was mailed, which confirms the e-mail address as well, and that
/// its owner is at `proven_address`.
pub async fn reset(
    tx: &mut Transaction,
    id: &str,
    password_hash: &str,
    proven_address: &str,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE users SET password_hash = $2, updated_at = $3, proven_address = $4,
             email_verified_at = COALESCE(email_verified_at, $3)
         WHERE id = $1",
    )
    .bind(id)
    .bind(password_hash)
    .bind(to_millis(now))
    .bind(proven_address)
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Call it with the row locked; nothing is said of the address.
pub async fn set(
    tx: &mut Transaction,
    id: &str,
    password_hash: &str,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(password_hash)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// A new password in place of the one that was checked. Takes the row's lock like [`super::users::lock`].
pub async fn replace(
    tx: &mut Transaction,
    id: &str,
    old_hash: &str,
    new_hash: &str,
    now: UnixSeconds,
) -> sqlx::Result<Replaced> {
    let done = sqlx::query(
        "UPDATE users SET password_hash = $3, updated_at = $4
         WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL",
    )
    .bind(id)
    .bind(old_hash)
    .bind(new_hash)
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(if done.rows_affected() == 1 {
        Replaced::Yes
    } else {
        Replaced::ChangedMeanwhile
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    Yes,
    ChangedMeanwhile,
}

/// The same password, hashed anew; nothing is written where it was changed meanwhile.
pub async fn rehash(pool: &AnyPool, id: &str, old: &str, new: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}
