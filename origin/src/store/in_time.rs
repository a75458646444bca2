//! No statement is waited for without end. The server gives up a slow one by itself; one that says
//! nothing any more (it was stopped, its machine is gone, the network dropped the line) is given up
//! here, and its connection is not used again.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::time::{Timeout, timeout};

use super::errors::note_failure;
use super::{CONNECTION_TIMEOUT, STATEMENT_TIMEOUT};

/// The wait for a connection included. Longer than the pool and the server together allow: what they
/// give up themselves, they say.
const A_STATEMENT_MAY_TAKE: Duration = CONNECTION_TIMEOUT
    .saturating_add(STATEMENT_TIMEOUT)
    .saturating_add(Duration::from_millis(500));
/// Of a connection that is to be used again, to show that somebody is there.
const A_SIGN_OF_LIFE_MAY_TAKE: Duration = Duration::from_secs(2);

/// When the database last said nothing in time.
static LAST_SILENCE: Mutex<Option<Instant>> = Mutex::new(None);

pin_project! {
    /// What the database does, with an end to it. It is known as silent before what was given up lets
    /// go of its connection, so that the pool does not take that connection back.
    pub(crate) struct Bounded<F> {
        #[pin]
        timed: Timeout<F>,
        is_counted: bool,
    }
}

impl<T, F: Future<Output = sqlx::Result<T>>> Future for Bounded<F> {
    type Output = sqlx::Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let done = ready!(this.timed.poll(cx)).unwrap_or_else(|_| Err(silence()));
        if *this.is_counted {
            return Poll::Ready(done.inspect_err(note_failure));
        }
        Poll::Ready(done)
    }
}

pub(crate) trait InTime<T>: Future<Output = sqlx::Result<T>> + Sized {
    /// One statement, and the one place where its failure is counted.
    fn in_time(self) -> Bounded<Self> {
        self.in_time_of(A_STATEMENT_MAY_TAKE)
    }

    /// One that may take another time than most.
    fn in_time_of(self, limit: Duration) -> Bounded<Self> {
        Bounded {
            timed: timeout(limit, self),
            is_counted: true,
        }
    }

    /// What is done to a connection for the sake of a statement, whose failure is the statement's.
    fn in_time_for_another(self, limit: Duration) -> Bounded<Self> {
        Bounded {
            timed: timeout(limit, self),
            is_counted: false,
        }
    }
}

impl<T, F: Future<Output = sqlx::Result<T>>> InTime<T> for F {}

/// For who cannot wait as long as statements may take: they go on and end by themselves, so that what
/// they leave behind is known. `None`: they failed, or are not done yet.
pub(crate) async fn wait_at_most<T: Send + 'static>(
    limit: Duration,
    statements: impl Future<Output = sqlx::Result<T>> + Send + 'static,
) -> Option<T> {
    let task = tokio::spawn(statements);
    timeout(limit, task).await.ok()?.ok()?.ok()
}

/// Before a connection is used: waiting for one that is dead must leave time to open another.
pub(super) async fn show_life(connection: &mut AnyConnection) -> sqlx::Result<()> {
    connection
        .ping()
        .in_time_for_another(A_SIGN_OF_LIFE_MAY_TAKE)
        .await
}

/// Whether the database says nothing any more, as a connection shows that nobody uses. Where each is
/// in use, it is what their statements met of late.
pub(crate) async fn find_silence(pool: &AnyPool) -> Option<sqlx::Error> {
    let Some(mut connection) = pool.try_acquire() else {
        return met_silence(A_SIGN_OF_LIFE_MAY_TAKE).then(says_nothing);
    };
    match show_life(&mut connection).await {
        Err(error) if is_silence(&error) => Some(error),
        // One that ended this connection says something; the next statement gets another.
        Ok(()) | Err(_) => None,
    }
}

/// Whether a connection of this age was open when the database last said nothing. It may hold what
/// was given up: a BEGIN that the driver forgot, and the server did not. So it is not used again.
pub(super) fn met_silence(age: Duration) -> bool {
    last_silence().is_some_and(|at| at.elapsed() <= age)
}

/// Whether it was given up here. That a socket's own patience is over comes with a code of the system.
pub(super) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error)
        if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none())
}

fn silence() -> sqlx::Error {
    *last_silence() = Some(Instant::now());
    says_nothing()
}

fn says_nothing() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the database says nothing").into()
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
    use crate::store;

    /// What goes to the database when it is awaited.
    const CALLS: [&str; 10] = [
        ".acquire(",
        ".ping(",
        ".begin(",
        ".begin_with(",
        ".execute(",
        ".fetch_one(",
        ".fetch_optional(",
        ".fetch_all(",
        ".commit(",
        ".rollback(",
    ];

    /// One test: a process has one memory of silences.
    #[tokio::test]
    async fn a_full_pool_is_no_silence_and_what_met_one_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db").display());
        let pool = store::open(&url.into()).await.unwrap();
        let mut in_use = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            in_use.push(pool.acquire().await.unwrap());
        }
        assert!(find_silence(&pool).await.is_none());

        let never = std::future::pending::<sqlx::Result<()>>();
        let error = never.in_time_of(Duration::ZERO).await.unwrap_err();
        assert!(is_silence(&error));
        assert!(find_silence(&pool).await.is_some());
        assert!(!met_silence(Duration::ZERO), "opened since");
        drop(in_use);
        while pool.size() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn nothing_is_asked_of_the_database_without_an_end() {
        let mut calls = 0;
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: String = shipped.split_whitespace().collect();
            for (at, call) in CALLS.iter().flat_map(|call| code.match_indices(call)) {
                let arguments = &code[at + call.len()..];
                calls += 1;
                assert!(
                    after_parenthesis(arguments).starts_with(".in_time"),
                    "{}: {call}…",
                    file.display()
                );
            }
        }
        assert!(calls > 100, "only {calls} were found");
    }

    /// What follows the one that closes these arguments.
    fn after_parenthesis(arguments: &str) -> &str {
        let mut open = 1;
        let end = arguments.find(|c| {
            open += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            open == 0
        });
        &arguments[end.unwrap() + 1..]
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
