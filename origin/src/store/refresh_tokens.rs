//! Table `refresh_tokens`: hashes only. A row is used once; the one who holds the token may be shown
//! its successor again, which is why the successor is kept, sealed.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::in_time::InTime;
use super::sessions::Session;
use super::users::{User, user};
use super::{Transaction, from_millis, to_millis};

/// What the state machine needs to know of a presented token, its successor and its user.
#[derive(Debug)]
pub struct Presented {
    pub expires_at: UnixSeconds,
    pub used_at: Option<UnixSeconds>,
    pub successor_sealed: Option<Vec<u8>>,
    pub successor_used_at: Option<UnixSeconds>,
    /// The latest cut-off of the user or the issuer, in Unix seconds.
    pub cut_off_secs: Option<u64>,
    pub user: User,
}

#[derive(Debug)]
pub struct Successor<'a> {
    pub hash: &'a [u8],
    pub sealed: &'a [u8],
}

pub async fn insert(
    tx: &mut Transaction,
    hash: &[u8],
    sid: &str,
    now: UnixSeconds,
    expires_at: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO refresh_tokens (hash, sid, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(hash)
    .bind(sid)
    .bind(to_millis(now))
    .bind(to_millis(expires_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// With the session's row locked, nobody else changes what it returns.
pub async fn find_presented(
    connection: &mut AnyConnection,
    hash: &[u8],
    user_id: &str,
    issuer: &str,
) -> sqlx::Result<Option<Presented>> {
    sqlx::query(
        "SELECT t.expires_at, t.used_at, t.successor_sealed, n.used_at AS successor_used_at,
                (SELECT MAX(before) FROM revocations
                 WHERE issuer = $3
                   AND ((name = $2 AND scope = 'user') OR (name = $3 AND scope = 'issuer')))
                    AS cut_off,
                u.id, u.email, u.email_verified_at, u.name, u.roles, u.disabled_at, u.created_at
         FROM refresh_tokens t
         JOIN users u ON u.id = $2
         LEFT JOIN refresh_tokens n ON n.hash = t.successor_hash
         WHERE t.hash = $1",
    )
    .bind(hash)
    .bind(user_id)
    .bind(issuer)
    .try_map(|row| presented(&row))
    .fetch_optional(connection)
    .in_time()
    .await
}

fn presented(row: &AnyRow) -> sqlx::Result<Presented> {
    let cut_off: Option<i64> = row.try_get("cut_off")?;
    Ok(Presented {
        expires_at: from_millis(row.try_get("expires_at")?),
        used_at: row.try_get::<Option<i64>, _>("used_at")?.map(from_millis),
        successor_sealed: row.try_get("successor_sealed")?,
        successor_used_at: row
            .try_get::<Option<i64>, _>("successor_used_at")?
            .map(from_millis),
        cut_off_secs: cut_off.map(i64::cast_unsigned),
        user: user(row)?,
    })
}

/// Uses the token up and names its successor, unless someone did so before: then nothing changes.
pub async fn use_up(
    tx: &mut Transaction,
    hash: &[u8],
    successor: &Successor<'_>,
    now: UnixSeconds,
) -> sqlx::Result<Used> {
    let done = sqlx::query(
        "UPDATE refresh_tokens SET used_at = $2, successor_hash = $3, successor_sealed = $4
         WHERE hash = $1 AND used_at IS NULL",
    )
    .bind(hash)
    .bind(to_millis(now))
    .bind(successor.hash)
    .bind(successor.sealed)
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(used(done.rows_affected()))
}

/// Locks the open session, uses the token up and writes its successor, all of it or nothing, in one
/// statement. PostgreSQL only: no statement of SQLite's writes two tables. Where two meet, the
/// second waits for the session's row and then finds it closed, seen meanwhile, or the token used:
/// the conditions are held against the rows as they are after the wait.
pub async fn rotate_at_once(
    connection: &mut AnyConnection,
    hash: &[u8],
    session: &Session,
    successor: &Successor<'_>,
    expires_at: UnixSeconds,
    now: UnixSeconds,
) -> sqlx::Result<Used> {
    let done = sqlx::query(
        "WITH open_session AS (
             UPDATE sessions SET last_seen_at = GREATEST(last_seen_at, $3)
             WHERE sid = $2 AND revoked_at IS NULL AND last_seen_at = $7
             RETURNING sid
         ), used AS (
             UPDATE refresh_tokens
             SET used_at = $3, successor_hash = $4, successor_sealed = $5
             FROM open_session
             WHERE hash = $1 AND used_at IS NULL
             RETURNING open_session.sid
         )
         INSERT INTO refresh_tokens (hash, sid, created_at, expires_at)
         SELECT $4, sid, $3, $6 FROM used",
    )
    .bind(hash)
    .bind(&session.sid)
    .bind(to_millis(now))
    .bind(successor.hash)
    .bind(successor.sealed)
    .bind(to_millis(expires_at))
    .bind(to_millis(session.last_seen_at))
    .execute(connection)
    .in_time()
    .await?;
    Ok(used(done.rows_affected()))
}

fn used(rows: u64) -> Used {
    if rows == 1 { Used::Now } else { Used::Before }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    Now,
    Before,
}

/// The session of a refresh token, for those who revoke it rather than use it.
pub async fn find_sid(pool: &AnyPool, hash: &[u8]) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT sid FROM refresh_tokens WHERE hash = $1")
        .bind(hash)
        .fetch_optional(pool)
        .in_time()
        .await
}
