//! Table `revocations` as the publisher sees it: rows without a list version are its outbox.

use shared::{Scope, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::stamp::{Stamp, stamp};
use super::{Transaction, from_millis, revocation_columns, to_millis};

/// What a list says of a revocation.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    pub id: String,
    pub scope: Scope,
    pub issuer: String,
    pub name: String,
    /// Tokens issued before this whole second are revoked; `None`: all of them.
    pub before_secs: Option<u64>,
    pub retain_until: UnixSeconds,
}

/// The outbox, oldest first.
pub async fn find_unpublished(tx: &mut Transaction, most: u32) -> sqlx::Result<Vec<OutboxRow>> {
    sqlx::query(
        "SELECT id, scope, issuer, name, before, retain_until FROM revocations
         WHERE version IS NULL ORDER BY recorded_at, id LIMIT $1",
    )
    .bind(i64::from(most))
    .try_map(|row| outbox_row(&row))
    .fetch_all(&mut **tx)
    .in_time()
    .await
}

/// Whether there is anything in the outbox.
pub async fn find_any_unpublished(pool: &AnyPool) -> sqlx::Result<Option<()>> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT recorded_at FROM revocations WHERE version IS NULL LIMIT 1")
            .fetch_optional(pool)
            .in_time()
            .await?;
    Ok(found.map(|_| ()))
}

/// Stamps `version` on exactly these rows. Another row may have been committed since they were read,
/// with an earlier time; it must stay in the outbox.
pub async fn mark_published(
    tx: &mut Transaction,
    ids: &[String],
    version: u64,
) -> sqlx::Result<()> {
    let version = version.cast_signed();
    stamp(tx, ids, Stamp::Published { version }).await
}

/// The latest cut-off of a whole issuer that living tokens could still fall under.
pub async fn find_issuer_cut_off(
    tx: &mut Transaction,
    issuer: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<UnixSeconds>> {
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(before) FROM revocations
         WHERE scope = 'issuer' AND name = $1 AND retain_until > $2",
    )
    .bind(issuer)
    .bind(to_millis(now))
    .fetch_one(&mut **tx)
    .in_time()
    .await?;
    Ok(before.map(|secs| UnixSeconds::from_secs(secs.cast_unsigned())))
}

/// Forgets revocations that concern no token which lived after `time`. In small bites: a long
/// statement would hold up those who revoke.
pub async fn prune(pool: &AnyPool, time: UnixSeconds) -> sqlx::Result<u64> {
    let pruned = sqlx::query(
        "DELETE FROM revocations
         WHERE id IN (SELECT id FROM revocations WHERE retain_until < $1 LIMIT 5000)",
    )
    .bind(to_millis(time))
    .execute(pool)
    .in_time()
    .await?;
    Ok(pruned.rows_affected())
}

fn outbox_row(row: &AnyRow) -> sqlx::Result<OutboxRow> {
    Ok(OutboxRow {
        id: row.try_get("id")?,
        scope: revocation_columns::scope(row)?,
        issuer: row.try_get("issuer")?,
        name: row.try_get("name")?,
        before_secs: revocation_columns::before_secs(row)?,
        retain_until: from_millis(row.try_get("retain_until")?),
    })
}
