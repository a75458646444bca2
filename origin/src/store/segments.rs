//! Table `list_segments`: sealed tails and what they were merged into. Bytes never change; a row
//! only learns that it was delivered, or that another took its place.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, from_millis, to_millis};

#[derive(Debug, Clone)]
pub struct NewSegment {
    pub sha256: String,
    /// 0 for a sealed tail, one more with every merge.
    pub level: u64,
    pub count: u64,
    pub retain_until: UnixSeconds,
    pub bytes: Vec<u8>,
    pub sealed_at: UnixSeconds,
}

/// A segment of the list, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    pub sha256: String,
    pub level: u64,
    pub count: u64,
    pub retain_until: UnixSeconds,
    /// When KV got it.
    pub delivered_at: Option<UnixSeconds>,
}

/// A segment that KV has not got yet.
#[derive(Debug, Clone)]
pub struct UndeliveredSegment {
    pub sha256: String,
    pub retain_until: UnixSeconds,
    pub bytes: Vec<u8>,
}

/// The same entries make the same bytes: a content that was retired before comes back.
pub async fn insert(tx: &mut Transaction, new: &NewSegment) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO list_segments (sha256, level, count, retain_until, bytes, sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (sha256) DO UPDATE
         SET level = excluded.level, retain_until = excluded.retain_until,
             sealed_at = excluded.sealed_at, delivered_at = NULL, retired_at = NULL",
    )
    .bind(&new.sha256)
    .bind(new.level.cast_signed())
    .bind(new.count.cast_signed())
    .bind(to_millis(new.retain_until))
    .bind(new.bytes.as_slice())
    .bind(to_millis(new.sealed_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

macro_rules! select_live {
    () => {
        "SELECT sha256, level, count, retain_until, delivered_at FROM list_segments
         WHERE retired_at IS NULL AND retain_until > $1 ORDER BY sealed_at, sha256"
    };
}

/// The segments that the next head lists, the oldest first.
pub async fn find_live(tx: &mut Transaction, now: UnixSeconds) -> sqlx::Result<Vec<SegmentRow>> {
    sqlx::query(select_live!())
        .bind(to_millis(now))
        .try_map(|row| segment_row(&row))
        .fetch_all(&mut **tx)
        .in_time()
        .await
}

/// [`find_live`] outside a transaction.
pub async fn list_live(pool: &AnyPool, now: UnixSeconds) -> sqlx::Result<Vec<SegmentRow>> {
    sqlx::query(select_live!())
        .bind(to_millis(now))
        .try_map(|row| segment_row(&row))
        .fetch_all(pool)
        .in_time()
        .await
}

pub async fn find_bytes(pool: &AnyPool, sha256: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT bytes FROM list_segments WHERE sha256 = $1")
        .bind(sha256)
        .fetch_optional(pool)
        .in_time()
        .await
}

pub async fn exists(pool: &AnyPool, sha256: &str) -> sqlx::Result<bool> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT count FROM list_segments WHERE sha256 = $1")
            .bind(sha256)
            .fetch_optional(pool)
            .in_time()
            .await?;
    Ok(found.is_some())
}

/// Takes a segment out of future heads; `None` if that was done already.
pub async fn retire(
    tx: &mut Transaction,
    sha256: &str,
    at: UnixSeconds,
) -> sqlx::Result<Option<()>> {
    let retired = sqlx::query(
        "UPDATE list_segments SET retired_at = $1 WHERE sha256 = $2 AND retired_at IS NULL",
    )
    .bind(to_millis(at))
    .bind(sha256)
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok((retired.rows_affected() == 1).then_some(()))
}

/// One segment that KV lacks, the oldest first: each is put on its own. Retired ones count, since
/// the newest head may still name them.
pub async fn find_undelivered(
    pool: &AnyPool,
    now: UnixSeconds,
) -> sqlx::Result<Option<UndeliveredSegment>> {
    sqlx::query(
        "SELECT sha256, retain_until, bytes FROM list_segments
         WHERE delivered_at IS NULL AND retain_until > $1
         ORDER BY sealed_at, sha256 LIMIT 1",
    )
    .bind(to_millis(now))
    .try_map(|row| undelivered(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

pub async fn mark_delivered(pool: &AnyPool, sha256: &str, at: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE list_segments SET delivered_at = $1 WHERE sha256 = $2")
        .bind(to_millis(at))
        .bind(sha256)
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}

/// KV was found without this segment.
pub async fn mark_undelivered(pool: &AnyPool, sha256: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE list_segments SET delivered_at = NULL WHERE sha256 = $1")
        .bind(sha256)
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}

/// Forgets segments that were retired, or had nothing left to say, before `time`.
pub async fn prune(pool: &AnyPool, time: UnixSeconds) -> sqlx::Result<u64> {
    let pruned =
        sqlx::query("DELETE FROM list_segments WHERE retired_at < $1 OR retain_until < $1")
            .bind(to_millis(time))
            .execute(pool)
            .in_time()
            .await?;
    Ok(pruned.rows_affected())
}

fn segment_row(row: &AnyRow) -> sqlx::Result<SegmentRow> {
    Ok(SegmentRow {
        sha256: row.try_get("sha256")?,
        level: row.try_get::<i64, _>("level")?.cast_unsigned(),
        count: row.try_get::<i64, _>("count")?.cast_unsigned(),
        retain_until: from_millis(row.try_get("retain_until")?),
        delivered_at: row
            .try_get::<Option<i64>, _>("delivered_at")?
            .map(from_millis),
    })
}

fn undelivered(row: &AnyRow) -> sqlx::Result<UndeliveredSegment> {
    Ok(UndeliveredSegment {
        sha256: row.try_get("sha256")?,
        retain_until: from_millis(row.try_get("retain_until")?),
        bytes: row.try_get("bytes")?,
    })
}
