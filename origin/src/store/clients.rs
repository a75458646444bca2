//! Table `clients`: the programs that may use the OAuth endpoints.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::to_millis;

#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    /// SHA-256 of the secret in base64url: a client secret is 256 random bits, not a password.
    pub secret_hash: String,
    pub grants: Vec<String>,
    pub scopes: Vec<String>,
    pub may_introspect_all: bool,
}

/// Whether the row was written.
#[derive(Debug, PartialEq, Eq)]
pub enum Inserted {
    Yes,
    IdTaken,
}

pub async fn insert(pool: &AnyPool, client: &Client, now: UnixSeconds) -> sqlx::Result<Inserted> {
    let done = sqlx::query(
        "INSERT INTO clients (id, secret_hash, grants, scopes, may_introspect_all, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&client.id)
    .bind(&client.secret_hash)
    .bind(client.grants.join(" "))
    .bind(client.scopes.join(" "))
    .bind(i64::from(client.may_introspect_all))
    .bind(to_millis(now))
    .execute(pool)
    .await?;
    Ok(if done.rows_affected() == 1 {
        Inserted::Yes
    } else {
        Inserted::IdTaken
    })
}

pub async fn find_enabled(pool: &AnyPool, id: &str) -> sqlx::Result<Option<Client>> {
    sqlx::query(
        "SELECT id, secret_hash, grants, scopes, may_introspect_all
         FROM clients WHERE id = $1 AND disabled_at IS NULL",
    )
    .bind(id)
    .try_map(client)
    .fetch_optional(pool)
    .await
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `try_map` asks for"
)]
fn client(row: AnyRow) -> sqlx::Result<Client> {
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
    Ok(Client {
        id: row.try_get("id")?,
        secret_hash: row.try_get("secret_hash")?,
        grants: words(row.try_get("grants")?),
        scopes: words(row.try_get("scopes")?),
        may_introspect_all: row.try_get::<i64, _>("may_introspect_all")? != 0,
    })
}
