//! Tables `revocations`, `list_heads` and `list_tails` as whoever checks a published list wants them.

use shared::{Scope, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{from_millis, revocation_columns};

/// A revocation that a list carries.
#[derive(Debug)]
pub struct PublishedRow {
    pub id: String,
    pub scope: Scope,
    pub issuer: String,
    pub name: String,
    /// Tokens issued before this whole second are revoked; `None`: all of them.
    pub before_secs: Option<u64>,
    pub retain_until: UnixSeconds,
    /// The first list that carries it.
    pub version: u64,
}

/// The revocations that went out, by ascending id: the first `most` after the id `after`. In pages,
/// so that no statement is long.
pub async fn find_published(
    pool: &AnyPool,
    after: &str,
    most: u32,
) -> sqlx::Result<Vec<PublishedRow>> {
    sqlx::query(
        "SELECT id, scope, issuer, name, before, retain_until, version FROM revocations
         WHERE version IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(most))
    .try_map(|row| published_row(&row))
    .fetch_all(pool)
    .in_time()
    .await
}

/// The text of a head: empty where it was forgotten, `None` where there is no such version.
pub async fn find_head(pool: &AnyPool, version: u64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT head FROM list_heads WHERE version = $1")
        .bind(version.cast_signed())
        .fetch_optional(pool)
        .in_time()
        .await
}

pub async fn find_issued_at(pool: &AnyPool, version: u64) -> sqlx::Result<Option<UnixSeconds>> {
    let at: Option<i64> = sqlx::query_scalar("SELECT issued_at FROM list_heads WHERE version = $1")
        .bind(version.cast_signed())
        .fetch_optional(pool)
        .in_time()
        .await?;
    Ok(at.map(from_millis))
}

/// When the first entry of the newest tail was written; `None` where there is no tail.
pub async fn find_tail_began_at(pool: &AnyPool) -> sqlx::Result<Option<UnixSeconds>> {
    let at: Option<i64> = sqlx::query_scalar("SELECT MAX(started_at) FROM list_tails")
        .fetch_one(pool)
        .in_time()
        .await?;
    Ok(at.map(from_millis))
}

fn published_row(row: &AnyRow) -> sqlx::Result<PublishedRow> {
    Ok(PublishedRow {
        id: row.try_get("id")?,
        scope: revocation_columns::scope(row)?,
        issuer: row.try_get("issuer")?,
        name: row.try_get("name")?,
        before_secs: revocation_columns::before_secs(row)?,
        retain_until: from_millis(row.try_get("retain_until")?),
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
    })
}
