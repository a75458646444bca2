//! Table `publisher_lease`: one row that says who may publish. It knows neither time nor policy:
//! when a silent holder may be replaced is decided in `publisher::lease`.

use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::Transaction;
use super::in_time::InTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Empty: nobody holds it.
    pub holder: String,
    /// Grows with every change of holder.
    pub fence: u64,
    /// Grows with every sign of life.
    pub beat: u64,
}

pub async fn load(pool: &AnyPool) -> sqlx::Result<LeaseRow> {
    sqlx::query("SELECT holder, fence, beat FROM publisher_lease WHERE id = 1")
        .try_map(|row| lease_row(&row))
        .fetch_one(pool)
        .in_time()
        .await
}

/// Makes `holder` the publisher if the row still is as `seen`; answers with the new fence.
pub async fn take(pool: &AnyPool, seen: &LeaseRow, holder: &str) -> sqlx::Result<Option<u64>> {
    let fence = seen.fence + 1;
    let taken = sqlx::query(
        "UPDATE publisher_lease SET holder = $1, fence = $2, beat = beat + 1
         WHERE id = 1 AND fence = $3 AND beat = $4",
    )
    .bind(holder)
    .bind(fence.cast_signed())
    .bind(seen.fence.cast_signed())
    .bind(seen.beat.cast_signed())
    .execute(pool)
    .in_time()
    .await?;
    Ok((taken.rows_affected() == 1).then_some(fence))
}

/// Shows that the holder of `fence` lives; `None` if there is another holder by now.
pub async fn renew(pool: &AnyPool, fence: u64) -> sqlx::Result<Option<()>> {
    let renewed =
        sqlx::query("UPDATE publisher_lease SET beat = beat + 1 WHERE id = 1 AND fence = $1")
            .bind(fence.cast_signed())
            .execute(pool)
            .in_time()
            .await?;
    Ok((renewed.rows_affected() == 1).then_some(()))
}

/// [`renew`] inside a transaction: from here to its end nobody else can publish, and if another
/// took over before, this is the statement that finds out.
pub async fn confirm(tx: &mut Transaction, fence: u64) -> sqlx::Result<Option<()>> {
    let confirmed =
        sqlx::query("UPDATE publisher_lease SET beat = beat + 1 WHERE id = 1 AND fence = $1")
            .bind(fence.cast_signed())
            .execute(&mut **tx)
            .in_time()
            .await?;
    Ok((confirmed.rows_affected() == 1).then_some(()))
}

/// From here to the end of the transaction nobody can publish, whoever holds the lease.
pub async fn lock(tx: &mut Transaction) -> sqlx::Result<()> {
    sqlx::query("UPDATE publisher_lease SET fence = fence WHERE id = 1")
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// Gives the lease up, so that the next holder need not wait.
pub async fn release(pool: &AnyPool, fence: u64) -> sqlx::Result<()> {
    sqlx::query("UPDATE publisher_lease SET holder = '' WHERE id = 1 AND fence = $1")
        .bind(fence.cast_signed())
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}

fn lease_row(row: &AnyRow) -> sqlx::Result<LeaseRow> {
    Ok(LeaseRow {
        holder: row.try_get("holder")?,
        fence: row.try_get::<i64, _>("fence")?.cast_unsigned(),
        beat: row.try_get::<i64, _>("beat")?.cast_unsigned(),
    })
}
