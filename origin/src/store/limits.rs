//! Table `limits`: counters of failures, where no Redis keeps them. What they mean is known in
//! `limits` alone.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::in_time::InTime;
use super::to_millis;
use crate::rate_window::Window;

/// Whether the row was as it was thought to be, and is as it was wanted.
#[derive(Debug, PartialEq, Eq)]
pub enum Swapped {
    Yes,
    ChangedMeanwhile,
}

pub(crate) async fn find(pool: &AnyPool, key: &str) -> sqlx::Result<Option<Window>> {
    let row: Option<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT window_started_at, count, pending, doublings FROM limits WHERE key = $1",
    )
    .bind(key)
    .fetch_optional(pool)
    .in_time()
    .await?;
    Ok(
        row.map(|(started_at, failures, pending, doublings)| Window {
            started_at_millis: started_at.cast_unsigned(),
            failures: failures.cast_unsigned(),
            pending: pending.cast_unsigned(),
            doublings: u32::try_from(doublings).unwrap_or_default(),
        }),
    )
}

pub(crate) async fn swap(
    pool: &AnyPool,
    key: &str,
    old: Option<Window>,
    new: Window,
) -> sqlx::Result<Swapped> {
    let statement = match old {
        None => {
            "INSERT INTO limits (key, window_started_at, count, pending, doublings)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING"
        }
        Some(_) => {
            "UPDATE limits SET window_started_at = $2, count = $3, pending = $4, doublings = $5
             WHERE key = $1 AND window_started_at = $6 AND count = $7 AND pending = $8
               AND doublings = $9"
        }
    };
    let mut query = sqlx::query(statement).bind(key);
    for window in [Some(new), old].into_iter().flatten() {
        query = query
            .bind(window.started_at_millis.cast_signed())
            .bind(window.failures.cast_signed())
            .bind(window.pending.cast_signed())
            .bind(i64::from(window.doublings));
    }
    let done = query.execute(pool).in_time().await?;
    Ok(if done.rows_affected() == 1 {
        Swapped::Yes
    } else {
        Swapped::ChangedMeanwhile
    })
}

/// Deletes windows that began before `begun_before`.
pub async fn delete_ended(pool: &AnyPool, begun_before: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM limits WHERE window_started_at < $1")
        .bind(to_millis(begun_before))
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}
