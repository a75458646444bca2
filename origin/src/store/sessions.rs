//! Table `sessions`: one row a log-in. An update of the row is the lock on which refreshing and
//! revoking take turns; a session without `revoked_at` and before its end is open.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, from_millis, to_millis};

/// A row: what began with a log-in, and when it ends.
#[derive(Debug, Clone)]
pub struct Session {
    /// 22 characters of base64url.
    pub sid: String,
    pub user_id: String,
    /// Through which it was begun; `portcullis` for `/login` itself.
    pub client_id: String,
    /// Granted at the log-in, words between spaces: refreshing gives no more.
    pub scope: String,
    /// As it was sent at the log-in, cut to 256 characters.
    pub user_agent: Option<String>,
    /// Where the log-in came from.
    pub address: Option<String>,
    pub created_at: UnixSeconds,
    /// The log-in, or the last refresh.
    pub last_seen_at: UnixSeconds,
    /// The absolute end; it comes earlier if nobody refreshes, see `sessions::ends_at`.
    pub expires_at: UnixSeconds,
    /// `None`: nobody closed it.
    pub revoked_at: Option<UnixSeconds>,
}

pub async fn insert(tx: &mut Transaction, session: &Session) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO sessions (sid, user_id, client_id, scope, user_agent, address, created_at,
                               last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&session.sid)
    .bind(&session.user_id)
    .bind(&session.client_id)
    .bind(&session.scope)
    .bind(&session.user_agent)
    .bind(&session.address)
    .bind(to_millis(session.created_at))
    .bind(to_millis(session.last_seen_at))
    .bind(to_millis(session.expires_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Locks the session that the refresh token belongs to. The time it was last seen never goes back,
/// whatever the clocks of the replicas say: no token of it is dated later.
pub async fn lock_by_refresh_token(
    tx: &mut Transaction,
    token_hash: &[u8],
    now: UnixSeconds,
) -> sqlx::Result<Option<Session>> {
    sqlx::query(
        "UPDATE sessions
         SET last_seen_at = CASE WHEN last_seen_at > $2 THEN last_seen_at ELSE $2 END
         WHERE sid = (SELECT sid FROM refresh_tokens WHERE hash = $1)
         RETURNING sid, user_id, client_id, scope, user_agent, address, created_at, last_seen_at,
                   expires_at, revoked_at",
    )
    .bind(token_hash)
    .bind(to_millis(now))
    .try_map(|row| session(&row))
    .fetch_optional(&mut **tx)
    .in_time()
    .await
}

/// The session that the refresh token belongs to, as it is now; it may be closed in the next moment.
pub async fn find_by_refresh_token(
    connection: &mut AnyConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Session>> {
    sqlx::query(
        "SELECT sid, user_id, client_id, scope, user_agent, address, created_at, last_seen_at,
                expires_at, revoked_at
         FROM sessions WHERE sid = (SELECT sid FROM refresh_tokens WHERE hash = $1)",
    )
    .bind(token_hash)
    .try_map(|row| session(&row))
    .fetch_optional(connection)
    .in_time()
    .await
}

/// Notes that the session gets a token of this time; call it with the session's row locked.
pub async fn note_token(tx: &mut Transaction, sid: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE sid = $1 AND last_seen_at < $2")
        .bind(sid)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// Closes the session, and with it its refresh tokens: they are looked at only through it. Answers
/// when its last token was made, by the clock of whoever made it; `None`: there is no such session.
pub async fn close(
    tx: &mut Transaction,
    sid: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<UnixSeconds>> {
    let last_seen: Option<i64> = sqlx::query_scalar(
        "UPDATE sessions SET revoked_at = COALESCE(revoked_at, $2) WHERE sid = $1
         RETURNING last_seen_at",
    )
    .bind(sid)
    .bind(to_millis(now))
    .fetch_optional(&mut **tx)
    .in_time()
    .await?;
    Ok(last_seen.map(from_millis))
}

/// Closes every open session of the user.
pub async fn close_all(tx: &mut Transaction, user_id: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL")
        .bind(user_id)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// Locks the session's row if it is open.
pub async fn lock_open(
    tx: &mut Transaction,
    sid: &str,
    now: UnixSeconds,
) -> sqlx::Result<Option<()>> {
    let done = sqlx::query(
        "UPDATE sessions SET last_seen_at = last_seen_at
         WHERE sid = $1 AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(sid)
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok((done.rows_affected() == 1).then_some(()))
}

/// Locks every open session of the user. The millisecond more is what a refresh without a lock finds
/// changed: it has read what is no longer so.
pub async fn lock_all(tx: &mut Transaction, user_id: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE sessions SET last_seen_at = last_seen_at + 1
         WHERE user_id = $1 AND revoked_at IS NULL",
    )
    .bind(user_id)
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Deletes what is known of a user's devices.
pub async fn delete_all(tx: &mut Transaction, user_id: &str) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM refresh_tokens WHERE sid IN (SELECT sid FROM sessions WHERE user_id = $1)",
        "DELETE FROM sessions WHERE user_id = $1",
    ] {
        sqlx::query(statement)
            .bind(user_id)
            .execute(&mut **tx)
            .in_time()
            .await?;
    }
    Ok(())
}

/// Closes every open session of the user but this one; answers with those it closed.
pub async fn close_others(
    tx: &mut Transaction,
    user_id: &str,
    sid: &str,
    now: UnixSeconds,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "UPDATE sessions SET revoked_at = $3
         WHERE user_id = $1 AND sid <> $2 AND revoked_at IS NULL
         RETURNING sid",
    )
    .bind(user_id)
    .bind(sid)
    .bind(to_millis(now))
    .fetch_all(&mut **tx)
    .in_time()
    .await
}

/// Every open session of the user that was begun before `begun_before`.
pub async fn close_begun_before(
    tx: &mut Transaction,
    user_id: &str,
    begun_before: UnixSeconds,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE sessions SET revoked_at = $3
         WHERE user_id = $1 AND created_at < $2 AND revoked_at IS NULL",
    )
    .bind(user_id)
    .bind(to_millis(begun_before))
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// The user's open sessions, newest first.
pub async fn find_open(
    pool: &AnyPool,
    user_id: &str,
    now: UnixSeconds,
) -> sqlx::Result<Vec<Session>> {
    sqlx::query(
        "SELECT sid, user_id, client_id, scope, user_agent, address, created_at, last_seen_at,
                expires_at, revoked_at
         FROM sessions
         WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
         ORDER BY created_at DESC, sid",
    )
    .bind(user_id)
    .bind(to_millis(now))
    .try_map(|row| session(&row))
    .fetch_all(pool)
    .in_time()
    .await
}

/// The names of the open sessions that were begun through a client.
pub async fn find_open_of_client(
    pool: &AnyPool,
    client_id: &str,
    now: UnixSeconds,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT sid FROM sessions
         WHERE client_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY sid",
    )
    .bind(client_id)
    .bind(to_millis(now))
    .fetch_all(pool)
    .in_time()
    .await
}

pub async fn find(pool: &AnyPool, sid: &str) -> sqlx::Result<Option<Session>> {
    sqlx::query(
        "SELECT sid, user_id, client_id, scope, user_agent, address, created_at, last_seen_at,
                expires_at, revoked_at
         FROM sessions WHERE sid = $1",
    )
    .bind(sid)
    .try_map(|row| session(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

fn session(row: &AnyRow) -> sqlx::Result<Session> {
    Ok(Session {
        sid: row.try_get("sid")?,
        user_id: row.try_get("user_id")?,
        client_id: row.try_get("client_id")?,
        scope: row.try_get("scope")?,
        user_agent: row.try_get("user_agent")?,
        address: row.try_get("address")?,
        created_at: from_millis(row.try_get("created_at")?),
        last_seen_at: from_millis(row.try_get("last_seen_at")?),
        expires_at: from_millis(row.try_get("expires_at")?),
        revoked_at: row
            .try_get::<Option<i64>, _>("revoked_at")?
            .map(from_millis),
    })
}
