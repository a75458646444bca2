//! Table `revocations`: what was revoked, by whom, until when it must be remembered, and in which
//! list version it went out. A row without a version is the publisher's outbox.

use shared::{Scope, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::{Transaction, foreign_value, from_millis, to_millis};

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
    /// Order of publication.
    pub position: Option<u64>,
    /// The list version that first carried it.
    pub version: Option<u64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, scope, issuer, name, before, reason, actor, recorded_at, retain_until,
                    cached_at, position, version
             FROM revocations ",
            $rest
        )
    };
}

pub async fn insert(tx: &mut Transaction, new: &NewRevocation) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO revocations
             (id, scope, issuer, name, before, reason, actor, recorded_at, retain_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The outbox, oldest first.
pub async fn find_unpublished(tx: &mut Transaction) -> sqlx::Result<Vec<RevocationRow>> {
    sqlx::query(select!("WHERE version IS NULL ORDER BY recorded_at, id"))
        .try_map(row)
        .fetch_all(&mut **tx)
        .await
}

/// Stamps `version` on the rows, in the given order of publication from `first_position` on.
pub async fn mark_published(
    tx: &mut Transaction,
    ids: &[String],
    version: u64,
    first_position: u64,
) -> sqlx::Result<()> {
    for (position, id) in (first_position..).zip(ids) {
        sqlx::query("UPDATE revocations SET version = $1, position = $2 WHERE id = $3")
            .bind(version.cast_signed())
            .bind(position.cast_signed())
            .bind(id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Every revocation that a living token could still need.
pub async fn find_live(pool: &AnyPool, now: UnixSeconds) -> sqlx::Result<Vec<RevocationRow>> {
    sqlx::query(select!("WHERE retain_until > $1 ORDER BY recorded_at, id"))
        .bind(to_millis(now))
        .try_map(row)
        .fetch_all(pool)
        .await
}

pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<RevocationRow>> {
    sqlx::query(select!("WHERE id = $1"))
        .bind(id)
        .try_map(row)
        .fetch_optional(pool)
        .await
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `try_map` asks for"
)]
fn row(row: AnyRow) -> sqlx::Result<RevocationRow> {
    let scope: String = row.try_get("scope")?;
    Ok(RevocationRow {
        id: row.try_get("id")?,
        scope: Scope::parse(&scope).ok_or_else(|| foreign_value("scope", &scope))?,
        issuer: row.try_get("issuer")?,
        name: row.try_get("name")?,
        before_secs: row
            .try_get::<Option<i64>, _>("before")?
            .map(i64::cast_unsigned),
        reason: row.try_get("reason")?,
        actor: row.try_get("actor")?,
        recorded_at: from_millis(row.try_get("recorded_at")?),
        retain_until: from_millis(row.try_get("retain_until")?),
        cached_at: row.try_get::<Option<i64>, _>("cached_at")?.map(from_millis),
        position: row
            .try_get::<Option<i64>, _>("position")?
            .map(i64::cast_unsigned),
        version: row
            .try_get::<Option<i64>, _>("version")?
            .map(i64::cast_unsigned),
    })
}
