//! Table `revocations`: what was revoked, by whom, until when it must be remembered, and in which
//! list version it went out. The publisher's view of it is `outbox`.

use shared::{Scope, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::stamp::{Stamp, stamp};
use super::{Transaction, foreign_value, from_millis, revocation_columns, to_millis};

/// Longer statements would hold up those who publish.
const STAMPED_AT_ONCE: usize = 1000;

/// A revocation about to be recorded.
#[derive(Debug, Clone)]
pub struct NewRevocation {
    pub id: String,
    pub scope: Scope,
    pub issuer: String,
    /// `jti`, `sid` or `sub`; for the issuer scope the issuer again.
    pub name: String,
    /// Tokens issued before this whole second are revoked; `None`: all of them.
    pub before_secs: Option<u64>,
    pub reason: String,
    pub actor: String,
    pub recorded_at: UnixSeconds,
    pub retain_until: UnixSeconds,
}

/// A recorded revocation.
#[derive(Debug, Clone)]
pub struct RevocationRow {
    pub id: String,
    pub scope: Scope,
    pub issuer: String,
    pub name: String,
    pub before_secs: Option<u64>,
    pub reason: String,
    pub actor: String,
    pub recorded_at: UnixSeconds,
    pub retain_until: UnixSeconds,
    pub cached_at: Option<UnixSeconds>,
    /// The list version that first carried it.
    pub version: Option<u64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, scope, issuer, name, before, reason, actor, recorded_at, retain_until,
                    cached_at, version
             FROM revocations ",
            $rest
        )
    };
}

/// Answers when the last edge stops using a list that is there now; `None` before the first list.
pub async fn insert(
    tx: &mut Transaction,
    new: &NewRevocation,
) -> sqlx::Result<Option<UnixSeconds>> {
    let lists_end: Option<i64> = sqlx::query_scalar(
        "INSERT INTO revocations
             (id, scope, issuer, name, before, reason, actor, recorded_at, retain_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         RETURNING (SELECT CASE WHEN expires_at + grace_secs * 1000 > predecessors_end_at
                                THEN expires_at + grace_secs * 1000 ELSE predecessors_end_at END
                    FROM list_heads ORDER BY version DESC LIMIT 1)",
    )
    .bind(&new.id)
    .bind(new.scope.as_str())
    .bind(&new.issuer)
    .bind(&new.name)
    .bind(new.before_secs.map(u64::cast_signed))
    .bind(&new.reason)
    .bind(&new.actor)
    .bind(to_millis(new.recorded_at))
    .bind(to_millis(new.retain_until))
    .fetch_one(&mut **tx)
    .in_time()
    .await?;
    Ok(lists_end.map(from_millis))
}

/// Where a walk over the revocations stands: nothing up to and including this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    recorded_at_ms: i64,
    id: String,
}

impl Position {
    #[must_use]
    pub fn of(row: &RevocationRow) -> Self {
        Self {
            recorded_at_ms: to_millis(row.recorded_at),
            id: row.id.clone(),
        }
    }
}

/// The revocations that a token alive after `now` could need, the oldest first.
pub async fn find_live_after(
    pool: &AnyPool,
    now: UnixSeconds,
    after: &Position,
    count: u32,
) -> sqlx::Result<Vec<RevocationRow>> {
    sqlx::query(select!(
        "WHERE retain_until > $1
           AND (recorded_at > $2 OR (recorded_at = $2 AND id > $3))
         ORDER BY recorded_at, id LIMIT $4"
    ))
    .bind(to_millis(now))
    .bind(after.recorded_at_ms)
    .bind(&after.id)
    .bind(i64::from(count))
    .try_map(|row| revocation(&row))
    .fetch_all(pool)
    .in_time()
    .await
}

/// The newest first.
pub async fn find_newest(pool: &AnyPool, count: u32) -> sqlx::Result<Vec<RevocationRow>> {
    sqlx::query(select!("ORDER BY recorded_at DESC, id LIMIT $1"))
        .bind(i64::from(count))
        .try_map(|row| revocation(&row))
        .fetch_all(pool)
        .in_time()
        .await
}

pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<RevocationRow>> {
    sqlx::query(select!("WHERE id = $1"))
        .bind(id)
        .try_map(|row| revocation(&row))
        .fetch_optional(pool)
        .in_time()
        .await
}

/// The scopes that revoke a token with these names.
pub async fn find_scopes(pool: &AnyPool, names: &TokenNames<'_>) -> sqlx::Result<Vec<Scope>> {
    sqlx::query_scalar::<_, String>(
        "SELECT scope FROM revocations
         WHERE issuer = $1
           AND ((name = $2 AND scope = 'token')
             OR (name = $3 AND scope = 'session')
             OR (name = $4 AND scope = 'user' AND before > $5)
             OR (name = $1 AND scope = 'issuer' AND before > $5))
         LIMIT 16",
    )
    .bind(names.issuer)
    .bind(names.jti)
    .bind(names.sid)
    .bind(names.sub)
    .bind(names.iat_secs.cast_signed())
    .fetch_all(pool)
    .in_time()
    .await?
    .iter()
    .map(|scope| Scope::parse(scope).ok_or_else(|| foreign_value("scope", scope)))
    .collect()
}

/// What a token can be revoked by, and when it was issued.
#[derive(Debug)]
pub struct TokenNames<'a> {
    pub issuer: &'a str,
    pub jti: &'a str,
    pub sid: &'a str,
    pub sub: &'a str,
    pub iat_secs: u64,
}

/// The latest cut-off that a new token of this user must not fall before.
pub async fn find_cut_off(
    tx: &mut Transaction,
    issuer: &str,
    sub: &str,
) -> sqlx::Result<Option<u64>> {
    let cut_off: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(before) FROM revocations
         WHERE issuer = $1
           AND ((name = $2 AND scope = 'user') OR (name = $1 AND scope = 'issuer'))",
    )
    .bind(issuer)
    .bind(sub)
    .fetch_one(&mut **tx)
    .in_time()
    .await?;
    Ok(cut_off.map(i64::cast_unsigned))
}

/// The latest cut-off of everyone, as it is now.
pub async fn find_cut_off_of_everyone(pool: &AnyPool, issuer: &str) -> sqlx::Result<Option<u64>> {
    let cut_off: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(before) FROM revocations
         WHERE issuer = $1 AND name = $1 AND scope = 'issuer'",
    )
    .bind(issuer)
    .fetch_one(pool)
    .in_time()
    .await?;
    Ok(cut_off.map(i64::cast_unsigned))
}

/// Living rows of which it is not known that Redis has them.
pub async fn find_uncached(
    pool: &AnyPool,
    recorded_before: UnixSeconds,
    now: UnixSeconds,
) -> sqlx::Result<Vec<RevocationRow>> {
    sqlx::query(select!(
        "WHERE cached_at IS NULL AND recorded_at < $1 AND retain_until > $2
         ORDER BY recorded_at, id LIMIT 1000"
    ))
    .bind(to_millis(recorded_before))
    .bind(to_millis(now))
    .try_map(|row| revocation(&row))
    .fetch_all(pool)
    .in_time()
    .await
}

/// Notes that Redis has them.
pub async fn mark_cached(pool: &AnyPool, ids: &[String], now: UnixSeconds) -> sqlx::Result<()> {
    let mut connection = pool.acquire().in_time().await?;
    let at = to_millis(now);
    for some in ids.chunks(STAMPED_AT_ONCE) {
        stamp(&mut connection, some, Stamp::Cached { at }).await?;
    }
    Ok(())
}

fn revocation(row: &AnyRow) -> sqlx::Result<RevocationRow> {
    Ok(RevocationRow {
        id: row.try_get("id")?,
        scope: revocation_columns::scope(row)?,
        issuer: row.try_get("issuer")?,
        name: row.try_get("name")?,
        before_secs: revocation_columns::before_secs(row)?,
        reason: row.try_get("reason")?,
        actor: row.try_get("actor")?,
        recorded_at: from_millis(row.try_get("recorded_at")?),
        retain_until: from_millis(row.try_get("retain_until")?),
        cached_at: row.try_get::<Option<i64>, _>("cached_at")?.map(from_millis),
        version: row
            .try_get::<Option<i64>, _>("version")?
            .map(i64::cast_unsigned),
    })
}
