//! A session closed and its revocation recorded, in one statement. Three tables at once, which only
//! PostgreSQL can; elsewhere it is a transaction of three statements, in `revocation`.

use shared::UnixSeconds;
use sqlx::AnyConnection;

use super::audit::Record;
use super::revocations::NewRevocation;
use super::{from_millis, to_millis};

/// `new` is of the session scope, and `record` says why. Waits for whoever holds the session's row,
/// such as a refresh, for as long as a statement may take. Answers when the last edge stops using a
/// list that was there when it began; `None` before the first.
pub async fn record(
    connection: &mut AnyConnection,
    new: &NewRevocation,
    record: &Record<'_>,
) -> sqlx::Result<Option<UnixSeconds>> {
    let lists_end: Option<i64> = sqlx::query_scalar(
        "WITH closed AS (
             UPDATE sessions SET revoked_at = COALESCE(revoked_at, $7) WHERE sid = $4
         ), recorded AS (
             INSERT INTO revocations
                 (id, scope, issuer, name, reason, actor, recorded_at, retain_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ), audited AS (
             INSERT INTO audit_log
                 (id, at, event, actor, subject, address, detail, revocation_id)
             VALUES ($9, $7, $10, $11, $12, $13, $14, $1)
         )
         SELECT (SELECT GREATEST(expires_at + grace_secs * 1000, predecessors_end_at)
                 FROM list_heads ORDER BY version DESC LIMIT 1)",
    )
    .bind(&new.id)
    .bind(new.scope.as_str())
    .bind(&new.issuer)
    .bind(&new.name)
    .bind(&new.reason)
    .bind(&new.actor)
    .bind(to_millis(new.recorded_at))
    .bind(to_millis(new.retain_until))
    .bind(&record.id)
    .bind(record.event.as_str())
    .bind(record.actor)
    .bind(record.subject)
    .bind(record.address)
    .bind(record.detail)
    .fetch_one(connection)
    .await?;
    Ok(lists_end.map(from_millis))
}
