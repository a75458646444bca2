//! Table `clients`: the programs that may use the OAuth endpoints. An update of the row is the lock
//! on which issuing to a client and cutting it off take turns.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, foreign_value, from_millis, to_millis};
use crate::grant_type::GrantType;

#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    /// SHA-256 of the secret in base64url: a client secret is 256 random bits, not a password.
    pub secret_hash: String,
    pub grants: Vec<GrantType>,
    pub scopes: Vec<String>,
    pub may_introspect_all: bool,
}

impl Client {
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// As revocations and the audit log name it.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("client:{}", self.id)
    }
}

/// A client and what has become of it.
#[derive(Debug, Clone)]
pub struct ClientRow {
    pub client: Client,
    pub created_at: UnixSeconds,
    pub disabled_at: Option<UnixSeconds>,
    /// When it last got a token for itself, or began a session.
    pub last_token_at: Option<UnixSeconds>,
}

/// Whether the row was written.
#[derive(Debug, PartialEq, Eq)]
pub enum Inserted {
    Yes,
    IdTaken,
}

/// Whether there is such a client, and it is enabled.
#[derive(Debug, PartialEq, Eq)]
pub enum Locked {
    Yes,
    NotThere,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, secret_hash, grants, scopes, may_introspect_all, created_at, disabled_at,
                    last_token_at
             FROM clients ",
            $rest
        )
    };
}

pub async fn insert(
    tx: &mut Transaction,
    client: &Client,
    now: UnixSeconds,
) -> sqlx::Result<Inserted> {
    let grants: Vec<&str> = client.grants.iter().map(|grant| grant.as_str()).collect();
    let done = sqlx::query(
        "INSERT INTO clients (id, secret_hash, grants, scopes, may_introspect_all, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&client.id)
    .bind(&client.secret_hash)
    .bind(grants.join(" "))
    .bind(client.scopes.join(" "))
    .bind(i64::from(client.may_introspect_all))
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(if done.rows_affected() == 1 {
        Inserted::Yes
    } else {
        Inserted::IdTaken
    })
}

/// Whether it is enabled or not.
pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<ClientRow>> {
    sqlx::query(select!("WHERE id = $1"))
        .bind(id)
        .try_map(|row| client_row(&row))
        .fetch_optional(pool)
        .in_time()
        .await
}

/// All of them, by name.
pub async fn find_all(pool: &AnyPool) -> sqlx::Result<Vec<ClientRow>> {
    sqlx::query(select!("ORDER BY id"))
        .try_map(|row| client_row(&row))
        .fetch_all(pool)
        .in_time()
        .await
}

/// Locks an enabled client and notes that it is given a token of this time. The time noted never goes
/// back, whatever the clocks of the replicas say.
pub async fn lock_for_token(
    tx: &mut Transaction,
    id: &str,
    now: UnixSeconds,
) -> sqlx::Result<Locked> {
    let done = sqlx::query(
        "UPDATE clients
         SET last_token_at = CASE WHEN last_token_at > $2 THEN last_token_at ELSE $2 END
         WHERE id = $1 AND disabled_at IS NULL",
    )
    .bind(id)
    .bind(to_millis(now))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(locked(done.rows_affected()))
}

/// Locks the client, if `id` is one.
pub async fn lock(tx: &mut Transaction, id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE clients SET last_token_at = last_token_at WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

/// From now on it authenticates no more. Doing so again changes nothing.
pub async fn disable(tx: &mut Transaction, id: &str, now: UnixSeconds) -> sqlx::Result<Locked> {
    let done =
        sqlx::query("UPDATE clients SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1")
            .bind(id)
            .bind(to_millis(now))
            .execute(&mut **tx)
            .in_time()
            .await?;
    Ok(locked(done.rows_affected()))
}

/// The old secret works no more.
pub async fn replace_secret(
    tx: &mut Transaction,
    id: &str,
    secret_hash: &str,
) -> sqlx::Result<Locked> {
    let done =
        sqlx::query("UPDATE clients SET secret_hash = $2 WHERE id = $1 AND disabled_at IS NULL")
            .bind(id)
            .bind(secret_hash)
            .execute(&mut **tx)
            .in_time()
            .await?;
    Ok(locked(done.rows_affected()))
}

fn locked(rows: u64) -> Locked {
    if rows == 1 {
        Locked::Yes
    } else {
        Locked::NotThere
    }
}

fn client_row(row: &AnyRow) -> sqlx::Result<ClientRow> {
    let grants: String = row.try_get("grants")?;
    let scopes: String = row.try_get("scopes")?;
    let time = |column| -> sqlx::Result<Option<UnixSeconds>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(from_millis))
    };
    Ok(ClientRow {
        client: Client {
            id: row.try_get("id")?,
            secret_hash: row.try_get("secret_hash")?,
            grants: grants
                .split_whitespace()
                .map(|word| GrantType::parse(word).ok_or_else(|| foreign_value("grants", word)))
                .collect::<sqlx::Result<_>>()?,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            may_introspect_all: row.try_get::<i64, _>("may_introspect_all")? != 0,
        },
        created_at: from_millis(row.try_get("created_at")?),
        disabled_at: time("disabled_at")?,
        last_token_at: time("last_token_at")?,
    })
}
