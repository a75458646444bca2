//! Users, sessions and refresh tokens by the thousand, copied in the database from the first one of
//! each, which the service made itself: hashing a password for each would take hours. All services
//! name these columns alike; whatever else a row has is copied.

use anyhow::ensure;
use stack::Postgres;

/// Enough that no two requests under way are about one row.
pub(super) const USERS: usize = 1_000;

/// Fills `database` and answers with one unused refresh token a session.
pub(super) fn fill(
    postgres: &Postgres,
    database: &str,
    sessions: usize,
) -> anyhow::Result<Vec<String>> {
    for table in ["users", "sessions", "refresh_tokens"] {
        let rows = postgres.query(database, &format!("SELECT count(*) FROM {table}"))?;
        ensure!(rows == "1", "{rows} rows in {database}.{table}, not one");
    }
    postgres.query(database, &copy_users())?;
    postgres.query(database, &copy_sessions(sessions))?;
    postgres.query(database, &copy_refresh_tokens(sessions))?;
    postgres.query(database, "VACUUM ANALYZE")?;
    Ok((1..=sessions).map(refresh_token).collect())
}

pub(super) fn email(number: usize) -> String {
    format!("bench-{number}@example.com")
}

/// As long as a real one.
fn refresh_token(number: usize) -> String {
    format!("bench-refresh-token-{number:023}")
}

fn copy_users() -> String {
    copy(
        "users",
        USERS,
        "'id', 'bench-user-' || n, 'email', 'bench-' || n || '@example.com'",
    )
}

fn copy_sessions(count: usize) -> String {
    copy(
        "sessions",
        count,
        &format!("'sid', md5('sid ' || n), 'user_id', 'bench-user-' || 1 + n % {USERS}"),
    )
}

fn copy_refresh_tokens(count: usize) -> String {
    let token = "'bench-refresh-token-' || lpad(n::text, 23, '0')";
    let hash = format!("'\\x' || encode(sha256(convert_to({token}, 'UTF8')), 'hex')");
    copy(
        "refresh_tokens",
        count,
        &format!("'hash', {hash}, 'sid', md5('sid ' || n)"),
    )
}

/// `changes` are the names and values of what tells copy number `n` from the one row that is there.
fn copy(table: &str, count: usize, changes: &str) -> String {
    format!(
        "INSERT INTO {table}
         SELECT copied.* FROM {table} AS original, generate_series(1, {count}) AS n,
             LATERAL jsonb_populate_record(original, jsonb_build_object({changes})) AS copied"
    )
}
