//! Stamping many rows of `revocations` with one statement. Two that lock several rows wait for each
//! other in a circle unless both lock them in one order: here it is that of their times.

use super::in_time::InTime;
use sqlx::AnyConnection;

macro_rules! postgres {
    ($column:literal) => {
        concat!(
            "UPDATE revocations SET ",
            $column,
            " = $2 WHERE id IN (
                 SELECT id FROM revocations
                 WHERE id IN (SELECT json_array_elements_text($1::json)) AND ",
            $column,
            " IS NULL
                 ORDER BY recorded_at, id FOR UPDATE)"
        )
    };
}

/// Whoever writes has the whole file.
macro_rules! sqlite {
    ($column:literal) => {
        concat!(
            "UPDATE revocations SET ",
            $column,
            " = $2
             WHERE id IN (SELECT value FROM json_each($1)) AND ",
            $column,
            " IS NULL"
        )
    };
}

/// What is noted of a revocation after it was recorded, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// The version of the first list that carries it.
    Published { version: i64 },
    /// When Redis confirmed it, in milliseconds.
    Cached { at: i64 },
}

/// Rows that bear the stamp already keep it.
pub(super) async fn stamp(
    connection: &mut AnyConnection,
    ids: &[String],
    stamp: Stamp,
) -> sqlx::Result<()> {
    let locks_rows = connection.backend_name() == "PostgreSQL";
    let (statement, value) = match (stamp, locks_rows) {
        (Stamp::Published { version }, true) => (postgres!("version"), version),
        (Stamp::Published { version }, false) => (sqlite!("version"), version),
        (Stamp::Cached { at }, true) => (postgres!("cached_at"), at),
        (Stamp::Cached { at }, false) => (sqlite!("cached_at"), at),
    };
    sqlx::query(statement)
        .bind(serde_json::Value::from(ids).to_string())
        .bind(value)
        .execute(connection)
        .in_time()
        .await?;
    Ok(())
}
