//! The database: opening it, and transactions; its schema is in `schema`. One file a table beside this one; every
//! statement runs on PostgreSQL and on SQLite, but one that says so. It knows rows, not rules.

pub mod audit;
pub mod audit_pages;
pub mod cache_state;
pub mod clients;
pub mod errors;
pub mod forget;
pub(crate) mod in_time;
pub mod last_token;
pub mod lease;
pub mod limits;
pub mod list;
pub mod list_rows;
pub mod list_travel;
pub mod mailed_tokens;
pub mod mails;
pub mod outbox;
pub mod password_hashes;
pub mod receipts;
pub mod refresh_tokens;
mod revocation_columns;
pub mod revocations;
mod schema;
pub mod segments;
pub mod session_end;
pub mod sessions;
mod silence;
mod sqlite_file;
mod stamp;
pub mod tails;
pub mod token_keys;
pub mod users;

use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shared::UnixSeconds;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor};

use in_time::InTime;

pub use schema::{Schema, find_schema, migrate, schema_version};

pub type Transaction = sqlx::Transaction<'static, sqlx::Any>;

/// A statement that takes longer is given up: the caller answers 503 rather than wait.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// So is the wait for a connection, in use by others or not open yet.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection used more lately than this is not tested before it is used again: the test would be
/// a round trip more for every statement. No database restarts faster; and if all the same one is
/// found dead, those that lay idle since before are tested, however lately they were used.
const TEST_AFTER_IDLE: Duration = Duration::from_millis(100);
const POSTGRES_CONNECTIONS: u32 = 32;
const SQLITE_CONNECTIONS: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("DATABASE_URL cannot be used")]
    BadUrl(#[source] sqlx::Error),
    #[error("the database at {host} (DATABASE_URL) cannot be reached")]
    Unreachable { host: String, source: sqlx::Error },
    #[error("the database does not answer")]
    Unreadable(#[source] sqlx::Error),
    #[error("the database's schema cannot be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

/// Opens the pool and one connection, so that an unreachable store is an error at start.
pub async fn open(database_url: &SecretString) -> Result<AnyPool, StoreError> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let options = connect_options(database_url)?;
    let pool = open_pool(&options)
        .await
        .map_err(|source| StoreError::Unreachable {
            host: describe(&options),
            source,
        })?;
    Ok(pool)
}

async fn open_pool(options: &AnyConnectOptions) -> sqlx::Result<AnyPool> {
    let is_sqlite = is_sqlite(options);
    if is_sqlite {
        sqlite_file::make_private(options)?;
        sqlite_file::try_to_open(options).await?;
    }
    match pool_options(is_sqlite).connect_with(options.clone()).await {
        Ok(pool) => Ok(pool),
        Err(error) => Err(find_cause(options, error).await),
    }
}

/// The pool tries again until its time is over, and then says only that; one more try says why.
async fn find_cause(options: &AnyConnectOptions, error: sqlx::Error) -> sqlx::Error {
    match tokio::time::timeout(Duration::from_secs(1), options.connect()).await {
        Ok(Err(cause)) => cause,
        Ok(Ok(_)) | Err(_) => error,
    }
}

/// The time at the database's server; `None`: it has none of its own.
pub async fn find_time(pool: &AnyPool) -> sqlx::Result<Option<UnixSeconds>> {
    if is_sqlite(&pool.connect_options()) {
        return Ok(None);
    }
    let millis: i64 =
        sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(pool)
            .in_time()
            .await?;
    Ok(Some(from_millis(millis)))
}

/// Begins a transaction that will write. SQLite takes its write lock at once: a transaction that
/// reads first and writes later could find that another has written in between, and fail.
pub async fn begin(pool: &AnyPool) -> sqlx::Result<Transaction> {
    if is_sqlite(&pool.connect_options()) {
        pool.begin_with("BEGIN IMMEDIATE").in_time().await
    } else {
        pool.begin().in_time().await
    }
}

/// What was written is there, for everybody. An error may also come after it: then nobody was told.
pub async fn commit(tx: Transaction) -> sqlx::Result<()> {
    tx.commit().in_time().await
}

/// At once, rather than when the connection is used again.
pub async fn rollback(tx: Transaction) -> sqlx::Result<()> {
    tx.rollback().in_time().await
}

/// Whether one statement may write several tables.
#[must_use]
pub fn writes_several_tables_at_once(pool: &AnyPool) -> bool {
    !is_sqlite(&pool.connect_options())
}

fn connect_options(database_url: &SecretString) -> Result<AnyConnectOptions, StoreError> {
    let mut text = database_url.expose_secret().to_owned();
    if text.starts_with("sqlite:") && !text.contains("mode=") {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.push_str(sqlite_file::MAY_CREATE);
    }
    let options = AnyConnectOptions::from_str(&text).map_err(StoreError::BadUrl)?;
    Ok(options.disable_statement_logging())
}

fn pool_options(is_sqlite: bool) -> AnyPoolOptions {
    let connections = if is_sqlite {
        SQLITE_CONNECTIONS
    } else {
        POSTGRES_CONNECTIONS
    };
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, use_of_it| {
            Box::pin(async move {
                // SQLite ended a transaction by itself, as it does when the disk is full: the driver
                // counts it for ever, and would begin no other.
                if connection.is_in_transaction() || silence::met_silence(use_of_it.age) {
                    return Ok(false);
                }
                let idle_for = use_of_it.idle_for;
                if idle_for > TEST_AFTER_IDLE || errors::died_within(idle_for) {
                    in_time::show_life(connection).await?;
                }
                Ok(true)
            })
        })
        .after_release(|_, use_of_it| {
            let is_usable = !silence::met_silence(use_of_it.age);
            Box::pin(async move { Ok(is_usable) })
        })
        .after_connect(move |connection, _| Box::pin(prepare_connection(connection, is_sqlite)))
}

/// Durable before acknowledged on both stores. What takes too long is given up by the database as
/// well, so that no statement, no wait for a lock and no forgotten transaction holds a connection.
async fn prepare_connection(connection: &mut AnyConnection, is_sqlite: bool) -> sqlx::Result<()> {
    let millis = STATEMENT_TIMEOUT.as_millis();
    let setup = if is_sqlite {
        format!(
            "PRAGMA busy_timeout = {millis}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
        )
    } else {
        format!(
            "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis};
             SET default_transaction_isolation = 'read committed'"
        )
    };
    connection
        .execute(sqlx::AssertSqlSafe(setup))
        .in_time_for_another(STATEMENT_TIMEOUT)
        .await?;
    Ok(())
}

fn is_sqlite(options: &AnyConnectOptions) -> bool {
    options.database_url.scheme() == "sqlite"
}

/// Host and port, or the file: what an operator may be shown.
fn describe(options: &AnyConnectOptions) -> String {
    let url = &options.database_url;
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.path().to_owned(),
    }
}

pub(crate) fn to_millis(time: UnixSeconds) -> i64 {
    time.as_millis().cast_signed()
}

pub(crate) fn from_millis(millis: i64) -> UnixSeconds {
    UnixSeconds::from_millis(millis.cast_unsigned())
}

/// A value in a row that this program never wrote there.
pub(crate) fn foreign_value(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("unknown {value:?}").into(),
    }
}
