//! Users, sessions and refresh tokens in Postgres: the statements of the `FastAPI` peer.

use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgPool};

use crate::failure::Failure;
use crate::tokens::{Claims, random};

#[derive(Debug, FromRow)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: String,
    pub(crate) roles: String,
    pub(crate) disabled: bool,
    pub(crate) created_at: String,
}

macro_rules! select_user {
    ($where:literal) => {
        concat!(
            "SELECT id, email, name, password_hash, roles, disabled_at IS NOT NULL AS disabled,
                    created_at::text FROM users WHERE ",
            $where
        )
    };
}

pub(crate) async fn insert_user(pool: &PgPool, email: &str, hash: &str) -> anyhow::Result<String> {
    let id = random(16)?;
    sqlx::query("INSERT INTO users (id, email, password_hash) VALUES ($1, $2, $3)")
        .bind(&id)
        .bind(email)
        .bind(hash)
        .execute(pool)
        .await?;
    Ok(id)
}

pub(crate) async fn find_user(pool: &PgPool, id: &str) -> sqlx::Result<Option<User>> {
    let user = sqlx::query_as(select_user!("id = $1")).bind(id);
    user.fetch_optional(pool).await
}

pub(crate) async fn find_by_email(pool: &PgPool, email: &str) -> sqlx::Result<Option<User>> {
    let user = sqlx::query_as(select_user!("email = $1")).bind(email);
    user.fetch_optional(pool).await
}

pub(crate) async fn find_client_secret(pool: &PgPool, id: &str) -> sqlx::Result<Option<Vec<u8>>> {
    let secret = sqlx::query_scalar("SELECT secret_hash FROM clients WHERE id = $1").bind(id);
    secret.fetch_optional(pool).await
}

/// A new session: its id and its first refresh token.
pub(crate) async fn begin(pool: &PgPool, user: &User) -> anyhow::Result<(String, String)> {
    let (sid, token) = (random(16)?, random(32)?);
    let mut tx = pool.begin().await?;
    sqlx::query(
        "INSERT INTO sessions (sid, user_id, expires_at) VALUES ($1, $2, now() + '30 days')",
    )
    .bind(&sid)
    .bind(&user.id)
    .execute(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO refresh_tokens (hash, sid) VALUES ($1, $2)")
        .bind(hash(&token))
        .bind(&sid)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((sid, token))
}

/// The session's id, its user and the next refresh token, in one transaction.
pub(crate) async fn rotate(
    pool: &PgPool,
    presented: &str,
) -> Result<(String, User, String), Failure> {
    let (presented, token) = (hash(presented), random(32)?);
    let mut tx = pool.begin().await?;
    let found: Option<(String, bool, bool, String)> = sqlx::query_as(
        "SELECT s.sid, s.revoked_at IS NULL AND s.expires_at > now(), t.used_at IS NULL, s.user_id
         FROM refresh_tokens t JOIN sessions s ON s.sid = t.sid
         WHERE t.hash = $1 FOR UPDATE OF s",
    )
    .bind(&presented)
    .fetch_optional(&mut *tx)
    .await?;
    let (sid, open, fresh, user_id) = found.ok_or(Failure::Refused)?;
    if !open || !fresh {
        return Err(Failure::Refused);
    }
    let user: Option<User> = sqlx::query_as(select_user!("id = $1"))
        .bind(&user_id)
        .fetch_optional(&mut *tx)
        .await?;
    let user = user.filter(|user| !user.disabled).ok_or(Failure::Refused)?;
    sqlx::query("UPDATE refresh_tokens SET used_at = now() WHERE hash = $1")
        .bind(&presented)
        .execute(&mut *tx)
        .await?;
    sqlx::query("INSERT INTO refresh_tokens (hash, sid) VALUES ($1, $2)")
        .bind(hash(&token))
        .bind(&sid)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE sessions SET last_seen_at = now() WHERE sid = $1")
        .bind(&sid)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((sid, user, token))
}

/// Closes the session and records why.
pub(crate) async fn end(pool: &PgPool, claims: &Claims) -> anyhow::Result<String> {
    let id = random(16)?;
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE sessions SET revoked_at = now() WHERE sid = $1")
        .bind(&claims.sid)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO revocations (id, sid, jti, user_id, reason)
         VALUES ($1, $2, $3, $4, 'logout')",
    )
    .bind(&id)
    .bind(&claims.sid)
    .bind(&claims.jti)
    .bind(&claims.sub)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(id)
}

pub(crate) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
