//! Table `token_keys`: the public half of each key that signs tokens, and how far its life has come.
//! When a key may sign and when it has done its work is decided in `keys::rotation`.

use serde_json::Value;
use shared::{Algorithm, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, foreign_value, from_millis, to_millis};

#[derive(Debug, Clone, PartialEq)]
pub struct TokenKeyRow {
    pub kid: String,
    pub algorithm: Algorithm,
    pub public_jwk: Value,
    pub created_at: UnixSeconds,
    /// The first list that says what this row says; `None`: there is none yet.
    pub version: Option<u64>,
    /// `None`: there may be edges that do not have it.
    pub signs_from: Option<UnixSeconds>,
    pub last_signed_at: Option<UnixSeconds>,
    pub revoked_at: Option<UnixSeconds>,
    pub retired_at: Option<UnixSeconds>,
}

impl TokenKeyRow {
    /// Whether lists carry it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.revoked_at.is_none() && self.retired_at.is_none()
    }

    /// The greater, the newer: by when it may sign. One that may not yet is newer than all that may.
    #[must_use]
    pub fn rank(&self) -> (u64, u64) {
        let signs_from = self.signs_from.map_or(u64::MAX, UnixSeconds::as_millis);
        (signs_from, self.created_at.as_millis())
    }

    #[must_use]
    pub fn may_sign(&self, now: UnixSeconds) -> bool {
        self.is_live() && self.signs_from.is_some_and(|from| from <= now)
    }
}

/// Every key there ever was, the oldest first.
pub async fn find_all<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
) -> sqlx::Result<Vec<TokenKeyRow>> {
    sqlx::query(
        "SELECT kid, public_jwk, created_at, version, signs_from, last_signed_at, revoked_at,
                retired_at
         FROM token_keys ORDER BY created_at, kid",
    )
    .try_map(|row| token_key(&row))
    .fetch_all(executor)
    .in_time()
    .await
}

/// Whether lists have yet to say something about a key.
pub async fn find_any_unlisted(pool: &AnyPool) -> sqlx::Result<Option<()>> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT created_at FROM token_keys WHERE version IS NULL LIMIT 1")
            .fetch_optional(pool)
            .in_time()
            .await?;
    Ok(found.map(|_| ()))
}

/// A key to be published; one that was retired is published again. `signs_from`: `None` until edges
/// have it.
pub async fn save(
    tx: &mut Transaction,
    kid: &str,
    public_jwk: &Value,
    signs_from: Option<UnixSeconds>,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO token_keys (kid, public_jwk, created_at, signs_from) VALUES ($1, $2, $3, $4)
         ON CONFLICT (kid) DO UPDATE SET
             created_at = $3, signs_from = $4, version = NULL, last_signed_at = NULL,
             retired_at = NULL",
    )
    .bind(kid)
    .bind(public_jwk.to_string())
    .bind(to_millis(now))
    .bind(signs_from.map(to_millis))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Stamps the list on the rows that no list had spoken of, and the time on those among them that
/// edges did not have before.
pub async fn mark_listed(
    tx: &mut Transaction,
    version: u64,
    signs_from: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE token_keys SET version = $1, signs_from = COALESCE(signs_from, $2)
         WHERE version IS NULL",
    )
    .bind(version.cast_signed())
    .bind(to_millis(signs_from))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// It may sign from now on, whoever has it.
pub async fn let_sign(tx: &mut Transaction, kid: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE token_keys SET signs_from = $2 WHERE kid = $1")
        .bind(kid)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// A replica signs with it. The time never goes back, whatever the clocks of the replicas say.
pub async fn note_use(pool: &AnyPool, kid: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE token_keys SET last_signed_at = $2
         WHERE kid = $1 AND (last_signed_at IS NULL OR last_signed_at < $2)",
    )
    .bind(kid)
    .bind(to_millis(now))
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}

pub async fn revoke(tx: &mut Transaction, kid: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE token_keys SET revoked_at = $2, version = NULL WHERE kid = $1")
        .bind(kid)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// Its last token is dead: lists carry it no more.
pub async fn retire(tx: &mut Transaction, kid: &str, now: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("UPDATE token_keys SET retired_at = $2 WHERE kid = $1")
        .bind(kid)
        .bind(to_millis(now))
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

fn token_key(row: &AnyRow) -> sqlx::Result<TokenKeyRow> {
    let jwk: String = row.try_get("public_jwk")?;
    let public_jwk: Value =
        serde_json::from_str(&jwk).map_err(|_| foreign_value("public_jwk", &jwk))?;
    let time = |column| -> sqlx::Result<Option<UnixSeconds>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(from_millis))
    };
    Ok(TokenKeyRow {
        kid: row.try_get("kid")?,
        algorithm: public_jwk["alg"]
            .as_str()
            .and_then(Algorithm::parse)
            .ok_or_else(|| foreign_value("public_jwk", &jwk))?,
        public_jwk,
        created_at: from_millis(row.try_get("created_at")?),
        version: row
            .try_get::<Option<i64>, _>("version")?
            .map(i64::cast_unsigned),
        signs_from: time("signs_from")?,
        last_signed_at: time("last_signed_at")?,
        revoked_at: time("revoked_at")?,
        retired_at: time("retired_at")?,
    })
}
