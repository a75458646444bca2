//! A session closed and its revocation recorded, in one statement. Three tables at once, which only
//! PostgreSQL can; elsewhere it is a transaction of three statements, in `revocation`.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::audit::Record;
use super::in_time::InTime;
use super::revocations::NewRevocation;
use super::{from_millis, to_millis};

#[derive(Debug)]
pub struct Recorded {
    pub retain_until: UnixSeconds,
    /// When the last edge stops using a list that was there when the statement began; `None` before
    /// the first.
    pub lists_end: Option<UnixSeconds>,
}

/// `new` is of the session scope, and `record` says why. Waits for whoever holds the session's row,
/// such as a refresh, for as long as a statement may take. It is kept until `new.retain_until`, or for
/// `kept_secs` after the session's last token where that is later.
pub async fn record(
    connection: &mut AnyConnection,
    new: &NewRevocation,
    kept_secs: u64,
    record: &Record<'_>,
) -> sqlx::Result<Recorded> {
    sqlx::query(
        "WITH closed AS (
             UPDATE sessions SET revoked_at = COALESCE(revoked_at, $7) WHERE sid = $4
             RETURNING last_seen_at
         ), kept AS (
             SELECT GREATEST($8, (SELECT last_seen_at FROM closed) + $15) AS until
         ), recorded AS (
             INSERT INTO revocations
                 (id, scope, issuer, name, reason, actor, recorded_at, retain_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT until FROM kept))
         ), audited AS (
             INSERT INTO audit_log
                 (id, at, event, actor, subject, address, detail, revocation_id)
             VALUES ($9, $7, $10, $11, $12, $13, $14, $1)
         )
         SELECT until, (SELECT GREATEST(expires_at + grace_secs * 1000, predecessors_end_at)
                        FROM list_heads ORDER BY version DESC LIMIT 1) AS lists_end
         FROM kept",
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
    .bind((kept_secs * 1000).cast_signed())
    .try_map(|row| recorded(&row))
    .fetch_one(connection)
    .in_time()
    .await
}

fn recorded(row: &AnyRow) -> sqlx::Result<Recorded> {
    Ok(Recorded {
        retain_until: from_millis(row.try_get("until")?),
        lists_end: row.try_get::<Option<i64>, _>("lists_end")?.map(from_millis),
    })
}
