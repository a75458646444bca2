//! Table `limits`: counters of attempts in fixed windows, where no Redis keeps them.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::{from_millis, to_millis};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub count: u64,
    pub window_started_at: UnixSeconds,
}

/// Counts one more; a window that is over begins anew.
pub async fn increment(
    pool: &AnyPool,
    key: &str,
    window_secs: u64,
    now: UnixSeconds,
) -> sqlx::Result<Count> {
    let (count, started_at): (i64, i64) = sqlx::query_as(
        "INSERT INTO limits (key, count, window_started_at) VALUES ($1, 1, $2)
         ON CONFLICT (key) DO UPDATE SET
             count = CASE WHEN limits.window_started_at <= $3 THEN 1 ELSE limits.count + 1 END,
             window_started_at =
                 CASE WHEN limits.window_started_at <= $3 THEN $2 ELSE limits.window_started_at END
         RETURNING count, window_started_at",
    )
    .bind(key)
    .bind(to_millis(now))
    .bind(to_millis(now.minus_secs(window_secs)))
    .fetch_one(pool)
    .await?;
    Ok(Count {
        count: count.cast_unsigned(),
        window_started_at: from_millis(started_at),
    })
}

/// Takes one back: it was no failure.
pub async fn decrement(pool: &AnyPool, key: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE limits SET count = count - 1 WHERE key = $1 AND count > 0")
        .bind(key)
        .execute(pool)
        .await?;
    Ok(())
}

/// Deletes windows that began before `begun_before`.
pub async fn delete_ended(pool: &AnyPool, begun_before: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM limits WHERE window_started_at < $1")
        .bind(to_millis(begun_before))
        .execute(pool)
        .await?;
    Ok(())
}
