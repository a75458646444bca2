//! Table `users`. E-mail addresses are stored in the one form that `accounts` gives them.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, from_millis, to_millis};

/// A row, but for what proves who the user is.
#[derive(Debug, Clone)]
pub struct User {
    /// The `sub` of the user's tokens: 22 characters of base64url.
    pub id: String,
    /// As `address::parse_email` writes it.
    pub email: String,
    /// When a mailed token showed that the address is theirs; `None`: it did not yet.
    pub email_verified_at: Option<UnixSeconds>,
    /// At most 200 characters.
    pub name: Option<String>,
    /// In order, each once.
    pub roles: Vec<String>,
    /// `None`: may log in.
    pub disabled_at: Option<UnixSeconds>,
    pub created_at: UnixSeconds,
}

#[derive(Debug)]
pub struct NewUser<'a> {
    pub id: &'a str,
    pub email: &'a str,
    pub name: Option<&'a str>,
    pub password_hash: &'a str,
    pub roles: &'a [String],
}

/// Whether the row was written.
#[derive(Debug, PartialEq, Eq)]
pub enum Inserted {
    Yes,
    EmailTaken,
}

pub async fn insert(
    tx: &mut Transaction,
    new: &NewUser<'_>,
    now: UnixSeconds,
) -> sqlx::Result<Inserted> {
    let done = sqlx::query(
        "INSERT INTO users (id, email, name, password_hash, roles, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (email) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.email)
    .bind(new.name)
    .bind(new.password_hash)
    .bind(new.roles.join(" "))
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(if done.rows_affected() == 1 {
        Inserted::Yes
    } else {
        Inserted::EmailTaken
    })
}

pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<User>> {
    sqlx::query(
        "SELECT id, email, email_verified_at, name, roles, disabled_at, created_at
         FROM users WHERE id = $1",
    )
    .bind(id)
    .try_map(|row| user(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Takes the row's lock and changes nothing else of note; see `password_hashes::lock_for_login`.
pub async fn lock(tx: &mut Transaction, id: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET updated_at = $2 WHERE id = $1")
        .bind(id)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// [`lock`], by the address; answers with the user as nobody can change it until the end of `tx`.
pub async fn lock_by_email(
    tx: &mut Transaction,
    email: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<User>> {
    sqlx::query(
        "UPDATE users SET updated_at = $2 WHERE email = $1
         RETURNING id, email, email_verified_at, name, roles, disabled_at, created_at",
    )
    .bind(email)
    .bind(to_millis(now))
    .try_map(|row| user(&row))
    .fetch_optional(&mut **tx)
    .in_time()
    .await
}

/// [`lock`], for a user who is there and not disabled.
pub async fn lock_enabled(
    tx: &mut Transaction,
    id: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<()>> {
    let done =
        sqlx::query("UPDATE users SET updated_at = $2 WHERE id = $1 AND disabled_at IS NULL")
            .bind(id)
            .bind(to_millis(now))
            .execute(&mut **tx)
            .in_time()
            .await?;
    Ok((done.rows_affected() == 1).then_some(()))
}

/// [`lock`]; answers with the user as nobody can change it until the end of `tx`.
pub async fn lock_by_id(
    tx: &mut Transaction,
    id: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<User>> {
    sqlx::query(
        "UPDATE users SET updated_at = $2 WHERE id = $1
         RETURNING id, email, email_verified_at, name, roles, disabled_at, created_at",
    )
    .bind(id)
    .bind(to_millis(now))
    .try_map(|row| user(&row))
    .fetch_optional(&mut **tx)
    .in_time()
    .await
}

/// Disabled since `disabled_at`, or enabled. Call it, and the two below, with the row locked.
pub async fn set_disabled(
    tx: &mut Transaction,
    id: &str,
    disabled_at: Option<UnixSeconds>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET disabled_at = $2 WHERE id = $1")
        .bind(id)
        .bind(disabled_at.map(to_millis))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

pub async fn set_roles(tx: &mut Transaction, id: &str, roles: &[String]) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET roles = $2 WHERE id = $1")
        .bind(id)
        .bind(roles.join(" "))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

pub async fn delete(tx: &mut Transaction, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM users WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// The address is its owner's.
pub async fn verify_email(tx: &mut Transaction, id: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE users SET email_verified_at = COALESCE(email_verified_at, $2) WHERE id = $1",
    )
    .bind(id)
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Oldest first, from the one after `after` on.
pub async fn find_page(pool: &AnyPool, after: Option<&str>, count: u32) -> sqlx::Result<Vec<User>> {
    sqlx::query(
        "SELECT id, email, email_verified_at, name, roles, disabled_at, created_at FROM users
         WHERE CAST($1 AS TEXT) IS NULL
            OR (created_at, id) > (SELECT created_at, id FROM users WHERE id = $1)
         ORDER BY created_at, id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(count))
    .try_map(|row| user(&row))
    .fetch_all(pool)
    .in_time()
    .await
}

pub async fn find_by_email(pool: &AnyPool, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query(
        "SELECT id, email, email_verified_at, name, roles, disabled_at, created_at
         FROM users WHERE email = $1",
    )
    .bind(email)
    .try_map(|row| user(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Where the owner of this account was: at a log-in, as far back as sessions are kept, and when a
/// mailed token last set a new password.
pub async fn find_addresses(pool: &AnyPool, email: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT address FROM sessions
         WHERE user_id = (SELECT id FROM users WHERE email = $1) AND address IS NOT NULL
         UNION
         SELECT proven_address FROM users WHERE email = $1 AND proven_address IS NOT NULL",
    )
    .bind(email)
    .fetch_all(pool)
    .in_time()
    .await
}

pub(super) fn user(row: &AnyRow) -> sqlx::Result<User> {
    let roles: String = row.try_get("roles")?;
    Ok(User {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        email_verified_at: row
            .try_get::<Option<i64>, _>("email_verified_at")?
            .map(from_millis),
        name: row.try_get("name")?,
        roles: roles.split_whitespace().map(str::to_owned).collect(),
        disabled_at: row
            .try_get::<Option<i64>, _>("disabled_at")?
            .map(from_millis),
        created_at: from_millis(row.try_get("created_at")?),
    })
}
