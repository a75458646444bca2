//! Table `list_heads`: every head that was published. How far each has come is `list_travel`.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, from_millis, to_millis};

/// A head about to be stored.
#[derive(Debug, Clone)]
pub struct NewHead {
    pub version: u64,
    pub issued_at: UnixSeconds,
    pub expires_at: UnixSeconds,
    pub grace_secs: u64,
    /// The signed head, a compact JWS.
    pub head: String,
    pub tail_epoch: u64,
    pub tail_bytes: u64,
    pub predecessors_end_at: UnixSeconds,
}

/// What the next head has to know of the newest one.
#[derive(Debug, Clone, Copy)]
pub struct NewestHead {
    pub version: u64,
    pub tail_epoch: u64,
    /// When the last edge stops using this head.
    pub ends_at: UnixSeconds,
    /// When the last edge stops using any head before it.
    pub predecessors_end_at: UnixSeconds,
}

/// A head as the database holds it, with the tail that it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredList {
    pub version: u64,
    pub issued_at: UnixSeconds,
    pub expires_at: UnixSeconds,
    /// The signed head, a compact JWS.
    pub head: String,
    pub tail_epoch: u64,
    pub tail: Vec<u8>,
}

/// How long the tail was at a version: enough to know which suffix an edge lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub version: u64,
    pub tail_epoch: u64,
    pub tail_bytes: u64,
}

pub async fn find_newest_head(tx: &mut Transaction) -> sqlx::Result<Option<NewestHead>> {
    sqlx::query(
        "SELECT version, tail_epoch, expires_at + grace_secs * 1000 AS ends_at, predecessors_end_at
         FROM list_heads ORDER BY version DESC LIMIT 1",
    )
    .try_map(|row| newest_head(&row))
    .fetch_optional(&mut **tx)
    .in_time()
    .await
}

pub async fn insert_head(tx: &mut Transaction, new: &NewHead) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO list_heads (version, issued_at, expires_at, grace_secs, head, tail_epoch,
                                 tail_bytes, predecessors_end_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.version.cast_signed())
    .bind(to_millis(new.issued_at))
    .bind(to_millis(new.expires_at))
    .bind(new.grace_secs.cast_signed())
    .bind(&new.head)
    .bind(new.tail_epoch.cast_signed())
    .bind(new.tail_bytes.cast_signed())
    .bind(to_millis(new.predecessors_end_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// The newest head as it was signed.
pub async fn find_newest_text(pool: &AnyPool) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT head FROM list_heads ORDER BY version DESC LIMIT 1")
        .fetch_optional(pool)
        .in_time()
        .await
}

pub async fn find_newest_version(pool: &AnyPool) -> sqlx::Result<Option<u64>> {
    let version: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM list_heads")
        .fetch_one(pool)
        .in_time()
        .await?;
    Ok(version.map(i64::cast_unsigned))
}

/// The newest head with its tail, read by one statement so that they belong together.
pub async fn find_newest_list(pool: &AnyPool) -> sqlx::Result<Option<StoredList>> {
    sqlx::query(
        "SELECT version, issued_at, expires_at, head, tail_epoch, tail_bytes, bytes
         FROM list_heads JOIN list_tails ON epoch = tail_epoch
         ORDER BY version DESC LIMIT 1",
    )
    .try_map(|row| stored_list(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Heads of a tail epoch that are newer than `version`, the oldest first.
pub async fn find_marks(pool: &AnyPool, epoch: u64, version: u64) -> sqlx::Result<Vec<Mark>> {
    sqlx::query(
        "SELECT version, tail_epoch, tail_bytes FROM list_heads
         WHERE tail_epoch = $1 AND version > $2 ORDER BY version DESC LIMIT 4096",
    )
    .bind(epoch.cast_signed())
    .bind(version.cast_signed())
    .try_map(|row| mark(&row))
    .fetch_all(pool)
    .in_time()
    .await
    .map(|mut marks| {
        marks.reverse();
        marks
    })
}

/// The newest list and what is still to come, for an operator to look at.
#[derive(Debug, Clone, Copy)]
pub struct ListSummary {
    pub version: u64,
    pub issued_at: UnixSeconds,
    pub expires_at: UnixSeconds,
    pub tail_bytes: u64,
    pub delivered_at: Option<UnixSeconds>,
    pub seen_at_edge_at: Option<UnixSeconds>,
    /// Revocations that no list carries yet.
    pub unpublished: u64,
}

pub async fn find_summary(pool: &AnyPool) -> sqlx::Result<Option<ListSummary>> {
    sqlx::query(
        "SELECT version, issued_at, expires_at, tail_bytes, delivered_at, seen_at_edge_at,
                (SELECT COUNT(*) FROM revocations WHERE revocations.version IS NULL) AS unpublished
         FROM list_heads ORDER BY version DESC LIMIT 1",
    )
    .try_map(|row| summary(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// Forgets the text of heads issued before `time`: only the newest is ever sent, while the times of
/// the others are wanted by receipts.
pub async fn prune_texts(pool: &AnyPool, time: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE list_heads SET head = ''
         WHERE issued_at < $1 AND head <> '' AND version < (SELECT MAX(version) FROM list_heads)",
    )
    .bind(to_millis(time))
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}

/// Forgets heads issued before `time` that no receipt needs. The newest always stays: versions
/// grow from it.
pub async fn prune_heads(pool: &AnyPool, time: UnixSeconds) -> sqlx::Result<u64> {
    let pruned = sqlx::query(
        "DELETE FROM list_heads
         WHERE issued_at < $1 AND version < (SELECT MAX(version) FROM list_heads)
           AND NOT EXISTS (SELECT 1 FROM revocations
                           WHERE revocations.version = list_heads.version)",
    )
    .bind(to_millis(time))
    .execute(pool)
    .in_time()
    .await?;
    Ok(pruned.rows_affected())
}

fn newest_head(row: &AnyRow) -> sqlx::Result<NewestHead> {
    Ok(NewestHead {
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        tail_epoch: row.try_get::<i64, _>("tail_epoch")?.cast_unsigned(),
        ends_at: from_millis(row.try_get("ends_at")?),
        predecessors_end_at: from_millis(row.try_get("predecessors_end_at")?),
    })
}

fn stored_list(row: &AnyRow) -> sqlx::Result<StoredList> {
    let tail_bytes: i64 = row.try_get("tail_bytes")?;
    let mut tail: Vec<u8> = row.try_get("bytes")?;
    tail.truncate(usize::try_from(tail_bytes).unwrap_or(usize::MAX));
    Ok(StoredList {
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        issued_at: from_millis(row.try_get("issued_at")?),
        expires_at: from_millis(row.try_get("expires_at")?),
        head: row.try_get("head")?,
        tail_epoch: row.try_get::<i64, _>("tail_epoch")?.cast_unsigned(),
        tail,
    })
}

fn summary(row: &AnyRow) -> sqlx::Result<ListSummary> {
    Ok(ListSummary {
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        issued_at: from_millis(row.try_get("issued_at")?),
        expires_at: from_millis(row.try_get("expires_at")?),
        tail_bytes: row.try_get::<i64, _>("tail_bytes")?.cast_unsigned(),
        delivered_at: row
            .try_get::<Option<i64>, _>("delivered_at")?
            .map(from_millis),
        seen_at_edge_at: row
            .try_get::<Option<i64>, _>("seen_at_edge_at")?
            .map(from_millis),
        unpublished: row.try_get::<i64, _>("unpublished")?.cast_unsigned(),
    })
}

fn mark(row: &AnyRow) -> sqlx::Result<Mark> {
    Ok(Mark {
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        tail_epoch: row.try_get::<i64, _>("tail_epoch")?.cast_unsigned(),
        tail_bytes: row.try_get::<i64, _>("tail_bytes")?.cast_unsigned(),
    })
}
