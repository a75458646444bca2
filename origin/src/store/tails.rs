//! Table `list_tails`: the tail of the newest head, which grows until it is sealed.

use shared::UnixSeconds;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::in_time::InTime;
use super::{Transaction, from_millis, to_millis};

/// The tail that new entries are appended to.
#[derive(Debug, Clone)]
pub struct TailRow {
    pub epoch: u64,
    pub bytes: Vec<u8>,
    pub started_at: UnixSeconds,
    pub retain_until: UnixSeconds,
}

pub async fn find(tx: &mut Transaction, epoch: u64) -> sqlx::Result<Option<TailRow>> {
    sqlx::query("SELECT epoch, bytes, started_at, retain_until FROM list_tails WHERE epoch = $1")
        .bind(epoch.cast_signed())
        .try_map(|row| tail_row(&row))
        .fetch_optional(&mut **tx)
        .in_time()
        .await
}

/// Stores the tail of the newest head; tails of earlier epochs are not needed any more.
pub async fn save(tx: &mut Transaction, tail: &TailRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO list_tails (epoch, bytes, started_at, retain_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (epoch) DO UPDATE
         SET bytes = excluded.bytes, started_at = excluded.started_at,
             retain_until = excluded.retain_until",
    )
    .bind(tail.epoch.cast_signed())
    .bind(tail.bytes.as_slice())
    .bind(to_millis(tail.started_at))
    .bind(to_millis(tail.retain_until))
    .execute(&mut **tx)
    .in_time()
    .await?;
    sqlx::query("DELETE FROM list_tails WHERE epoch <> $1")
        .bind(tail.epoch.cast_signed())
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

fn tail_row(row: &AnyRow) -> sqlx::Result<TailRow> {
    Ok(TailRow {
        epoch: row.try_get::<i64, _>("epoch")?.cast_unsigned(),
        bytes: row.try_get("bytes")?,
        started_at: from_millis(row.try_get("started_at")?),
        retain_until: from_millis(row.try_get("retain_until")?),
    })
}
