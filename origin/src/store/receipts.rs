//! What receipts need to know of the published lists (table `list_heads`, which the publisher
//! writes): how the list that first carried a revocation travelled, and how long others live.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::from_millis;
use super::in_time::InTime;

/// When the last edge stops using a list that is there now; `None` before the first.
pub async fn find_lists_end(pool: &AnyPool) -> sqlx::Result<Option<UnixSeconds>> {
    let ends: Option<(i64, i64)> = sqlx::query_as(
        "SELECT expires_at + grace_secs * 1000, predecessors_end_at
         FROM list_heads ORDER BY version DESC LIMIT 1",
    )
    .fetch_optional(pool)
    .in_time()
    .await?;
    Ok(ends.map(|(newest, predecessors)| from_millis(newest.max(predecessors))))
}

/// How the list that first carried a revocation travelled; each `None` until it is so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Travel {
    /// When the last edge stops using a list without it.
    pub predecessors_end_at: Option<UnixSeconds>,
    pub delivered_at: Option<UnixSeconds>,
    pub seen_at_edge_at: Option<UnixSeconds>,
}

pub async fn find_travel(pool: &AnyPool, version: u64) -> sqlx::Result<Travel> {
    let head: Option<(i64, Option<i64>, Option<i64>)> = sqlx::query_as(
        "SELECT predecessors_end_at, delivered_at, seen_at_edge_at
         FROM list_heads WHERE version = $1",
    )
    .bind(version.cast_signed())
    .fetch_optional(pool)
    .in_time()
    .await?;
    Ok(
        head.map_or_else(Travel::default, |(end, delivered_at, seen_at)| Travel {
            predecessors_end_at: Some(from_millis(end)),
            delivered_at: delivered_at.map(from_millis),
            seen_at_edge_at: seen_at.map(from_millis),
        }),
    )
}

#[derive(Debug, Clone, Copy)]
pub struct ListTimes {
    pub issued_at: UnixSeconds,
    pub expires_at: UnixSeconds,
}

/// How far publishing is behind.
#[derive(Debug, Clone, Copy)]
pub struct Publishing {
    pub oldest_unpublished_at: Option<UnixSeconds>,
    pub newest_list: Option<ListTimes>,
}

pub async fn find_publishing(pool: &AnyPool) -> sqlx::Result<Publishing> {
    let oldest: Option<i64> =
        sqlx::query_scalar("SELECT MIN(recorded_at) FROM revocations WHERE version IS NULL")
            .fetch_one(pool)
            .in_time()
            .await?;
    let newest: Option<(i64, i64)> = sqlx::query_as(
        "SELECT issued_at, expires_at FROM list_heads ORDER BY version DESC LIMIT 1",
    )
    .fetch_optional(pool)
    .in_time()
    .await?;
    Ok(Publishing {
        oldest_unpublished_at: oldest.map(from_millis),
        newest_list: newest.map(|(issued_at, expires_at)| ListTimes {
            issued_at: from_millis(issued_at),
            expires_at: from_millis(expires_at),
        }),
    })
}
