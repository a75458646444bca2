//! What kind of failure the database had, for those who watch it. Each failed statement is counted
//! once, where it fails: whoever made it need not think of it. What is done to get a connection for it
//! is counted only if the statement fails, too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::silence::is_silence;

/// As the metric has them.
pub(crate) const KINDS: [&str; 6] = ["busy", CONNECTION, "late", "full", "read_only", "other"];
const CONNECTION: &str = "connection";

/// When a connection was last found dead; what was opened before may be dead as well.
static LAST_DEATH: Mutex<Option<Instant>> = Mutex::new(None);

/// Counts it, and remembers a connection's death.
pub(super) fn note_failure(error: &sqlx::Error) {
    let kind = kind(error);
    metrics::counter!("portcullis_store_errors_total", "kind" => kind).increment(1);
    if kind == CONNECTION {
        *last_death() = Some(Instant::now());
    }
}

/// Whether any connection died within the last `idle_for`, the time since one was last used.
pub(super) fn died_within(idle_for: Duration) -> bool {
    last_death().is_some_and(|at| at.elapsed() <= idle_for)
}

/// A panic elsewhere does not make a plain value wrong.
fn last_death() -> MutexGuard<'static, Option<Instant>> {
    LAST_DEATH.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::PoolTimedOut => "busy",
        _ if is_silence(error) => "late",
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => CONNECTION,
        sqlx::Error::Database(error) => error.code().map_or("other", |code| kind_of_code(&code)),
        _ => "other",
    }
}

/// Five characters are an SQLSTATE of Postgres (appendix A of its manual); fewer are a result code
/// of SQLite, with what is more special about it in the higher bytes.
fn kind_of_code(code: &str) -> &'static str {
    if code.len() == 5 {
        return match code {
            // A statement, a lock or an idle transaction that took too long.
            "57014" | "55P03" | "25P03" => "late",
            "25006" => "read_only",
            "53100" => "full",
            "53300" | "53400" => "busy",
            _ if code.starts_with("08") || code.starts_with("57P") => CONNECTION,
            _ => "other",
        };
    }
    match code.parse::<i32>().map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED.
        Ok(5 | 6) => "late",
        Ok(8) => "read_only",
        Ok(13) => "full",
        Ok(10 | 14) => CONNECTION,
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_socket_that_lost_its_patience_is_a_lost_connection() {
        let of_system = io::Error::from_raw_os_error(nix::libc::ETIMEDOUT);
        assert_eq!(kind(&of_system.into()), CONNECTION);
    }

    #[test]
    fn the_codes_of_both_databases_have_one_kind() {
        for (code, kind) in [
            ("57014", "late"),
            ("25006", "read_only"),
            ("53100", "full"),
            ("53300", "busy"),
            ("57P01", "connection"),
            ("08006", "connection"),
            ("23505", "other"),
            ("5", "late"),
            // SQLITE_BUSY_SNAPSHOT, SQLITE_READONLY_DBMOVED, SQLITE_IOERR_WRITE.
            ("517", "late"),
            ("1032", "read_only"),
            ("778", "connection"),
            ("13", "full"),
            ("2067", "other"),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code}");
            assert!(KINDS.contains(&kind), "{kind}");
        }
    }
}
