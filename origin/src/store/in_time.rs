//! No statement is waited for without end. The server gives up a slow one by itself; one that says
//! nothing any more (it was stopped, its machine is gone, the network dropped the line) is given up
//! here, and its connection is not used again.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::Map;
use sqlx::{AnyConnection, Connection};
use tokio::time::error::Elapsed;
use tokio::time::{Timeout, timeout};

use super::errors::note_failure;

/// The wait for a connection included. Longer than the server allows a statement: what it gives up
/// itself, it says.
const A_STATEMENT_MAY_TAKE: Duration = Duration::from_secs(8);
/// Of a connection that is to be used again, to show that somebody is there.
const A_SIGN_OF_LIFE_MAY_TAKE: Duration = Duration::from_secs(2);

/// When the database last said nothing in time.
static LAST_SILENCE: Mutex<Option<Instant>> = Mutex::new(None);

type Outcome<F> = <F as Future>::Output;
/// A type with a name: one that has none cannot be told to be `Send` where a lifetime is open.
pub(crate) type Bounded<F> = Map<Timeout<F>, fn(Result<Outcome<F>, Elapsed>) -> Outcome<F>>;

/// What the database does, with an end to it.
pub(crate) trait InTime<T>: Future<Output = sqlx::Result<T>> + Sized {
    /// One statement, and the one place where its failure is counted.
    fn in_time(self) -> Bounded<Self> {
        self.in_time_of(A_STATEMENT_MAY_TAKE)
    }

    /// One that may take another time than most.
    fn in_time_of(self, limit: Duration) -> Bounded<Self> {
        timeout(limit, self).map(|ended| match ended {
            Ok(done) => done.inspect_err(note_failure),
            Err(_) => Err(silence()),
        })
    }

    /// Of statements, for who cannot wait as long.
    fn within(self, limit: Duration) -> Bounded<Self> {
        timeout(limit, self).map(|ended| ended.unwrap_or_else(|_| Err(silence())))
    }
}

impl<T, F: Future<Output = sqlx::Result<T>>> InTime<T> for F {}

/// Before a connection is used: waiting for one that is dead must leave time to open another.
pub(super) async fn show_life(connection: &mut AnyConnection) -> sqlx::Result<()> {
    connection.ping().within(A_SIGN_OF_LIFE_MAY_TAKE).await
}

/// Whether a connection of this age was open when the database last said nothing. It may hold what
/// was given up: a BEGIN that the driver forgot, and the server did not. So it is not used again.
pub(super) fn met_silence(age: Duration) -> bool {
    last_silence().is_some_and(|at| at.elapsed() <= age)
}

fn silence() -> sqlx::Error {
    *last_silence() = Some(Instant::now());
    let error = io::Error::new(io::ErrorKind::TimedOut, "the database says nothing").into();
    note_failure(&error);
    error
}

/// A panic elsewhere does not make a plain value wrong.
fn last_silence() -> MutexGuard<'static, Option<Instant>> {
    LAST_SILENCE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// What goes to the database when it is awaited.
    const CALLS: [&str; 6] = [
        ".execute(",
        ".fetch_one(",
        ".fetch_optional(",
        ".fetch_all(",
        ".commit(",
        ".rollback(",
    ];

    #[tokio::test(start_paused = true)]
    async fn a_database_that_says_nothing_is_late_and_suspect() {
        let never = std::future::pending::<sqlx::Result<()>>();
        let error = never.in_time().await.unwrap_err();
        assert!(matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut));
        assert!(met_silence(Duration::from_hours(1)));
        assert!(!met_silence(Duration::ZERO), "opened since");
    }

    #[test]
    fn nothing_is_asked_of_the_database_without_an_end() {
        let mut calls = 0;
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let code: String = text.split_whitespace().collect();
            for (at, call) in CALLS.iter().flat_map(|call| code.match_indices(call)) {
                let waited = code[at..].split(".await").next().unwrap();
                // This table itself.
                if waited.starts_with(&format!("{call}\"")) {
                    continue;
                }
                calls += 1;
                assert!(
                    waited.contains(".in_time") || waited.contains(".within("),
                    "{}: {call}…",
                    file.display()
                );
            }
        }
        assert!(calls > 100, "only {calls} were found");
    }

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| {
                if path.is_dir() {
                    sources(&path)
                } else {
                    vec![path]
                }
            })
            .collect()
    }
}
