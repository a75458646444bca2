//! When the last token was made, by the clock of whoever made it, which may be ahead of ours. Sessions
//! that are closed count: what closed them need not have named each of their tokens. A client's own
//! tokens bear its id as their subject.

use std::time::Duration;

use shared::UnixSeconds;

use super::in_time::InTime;
use super::{Transaction, from_millis};

/// Every session is read, and there may be millions: longer than other statements may take.
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);
/// The server gives it up before that, and says so.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(33);

/// Of a user, or of a client for itself. Nothing is locked: that is the caller's part.
pub async fn find_of_subject(
    tx: &mut Transaction,
    subject: &str,
) -> sqlx::Result<Option<UnixSeconds>> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(at) FROM (SELECT MAX(last_seen_at) AS at FROM sessions WHERE user_id = $1
                              UNION ALL
                              SELECT last_token_at FROM clients WHERE id = $1) AS tokens",
    )
    .bind(subject)
    .fetch_one(&mut **tx)
    .in_time()
    .await?;
    Ok(last.map(from_millis))
}

/// Of everyone, of the tokens that are there when it begins. It holds nobody up: no lock is taken, and
/// no index is kept for it, which every refresh would pay for.
pub async fn find_of_everyone(tx: &mut Transaction) -> sqlx::Result<Option<UnixSeconds>> {
    if tx.backend_name() == "PostgreSQL" {
        let millis = SCAN_TIMEOUT.as_millis();
        let setting = format!("SET LOCAL statement_timeout = {millis}");
        sqlx::query(sqlx::AssertSqlSafe(setting))
            .execute(&mut **tx)
            .in_time()
            .await?;
    }
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(at) FROM (SELECT MAX(last_seen_at) AS at FROM sessions
                              UNION ALL
                              SELECT MAX(last_token_at) FROM clients) AS tokens",
    )
    .fetch_one(&mut **tx)
    .in_time_of(GIVEN_UP_AFTER)
    .await?;
    Ok(last.map(from_millis))
}
