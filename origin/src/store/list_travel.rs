//! Table `list_heads`: which of them KV got, and which an edge was seen with.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::in_time::InTime;
use super::{from_millis, to_millis};

/// When KV got this head, or `None` if it has not got it.
pub async fn find_delivered_at(pool: &AnyPool, version: u64) -> sqlx::Result<Option<UnixSeconds>> {
    let at: Option<Option<i64>> =
        sqlx::query_scalar("SELECT delivered_at FROM list_heads WHERE version = $1")
            .bind(version.cast_signed())
            .fetch_optional(pool)
            .in_time()
            .await?;
    Ok(at.flatten().map(from_millis))
}

/// The newest version that KV got, and when.
pub async fn find_newest_delivered(pool: &AnyPool) -> sqlx::Result<Option<(u64, UnixSeconds)>> {
    let newest: Option<(i64, i64)> = sqlx::query_as(
        "SELECT version, delivered_at FROM list_heads
         WHERE delivered_at IS NOT NULL ORDER BY version DESC LIMIT 1",
    )
    .fetch_optional(pool)
    .in_time()
    .await?;
    Ok(newest.map(|(version, at)| (version.cast_unsigned(), from_millis(at))))
}

/// When the first of those lists was made that KV has not got, nor a newer one; `None`: it has the
/// newest, or there is no list.
pub async fn find_undelivered_since(pool: &AnyPool) -> sqlx::Result<Option<UnixSeconds>> {
    let at: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(issued_at) FROM list_heads
         WHERE version > (SELECT COALESCE(MAX(version), 0) FROM list_heads
                          WHERE delivered_at IS NOT NULL)",
    )
    .fetch_one(pool)
    .in_time()
    .await?;
    Ok(at.map(from_millis))
}

/// KV holds `version`, so whatever an older head said is there as well.
pub async fn mark_delivered(pool: &AnyPool, version: u64, at: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE list_heads SET delivered_at = $1 WHERE version <= $2 AND delivered_at IS NULL",
    )
    .bind(to_millis(at))
    .bind(version.cast_signed())
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}

/// KV was found without this head.
pub async fn mark_undelivered(pool: &AnyPool, version: u64) -> sqlx::Result<()> {
    sqlx::query("UPDATE list_heads SET delivered_at = NULL WHERE version = $1")
        .bind(version.cast_signed())
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}

/// An edge holds `version`, so whatever an older head said is there as well.
pub async fn mark_seen_at_edge(pool: &AnyPool, version: u64, at: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE list_heads SET seen_at_edge_at = $1
         WHERE version <= $2 AND seen_at_edge_at IS NULL",
    )
    .bind(to_millis(at))
    .bind(version.cast_signed())
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}
