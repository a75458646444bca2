//! No statement is waited for without end. The server gives up a slow one by itself; one that says
//! nothing any more (it was stopped, its machine is gone, the network dropped the line) is given up
//! here, and its connection is not used again.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::time::{Timeout, timeout};

use super::errors::note_failure;
use super::silence::{is_silence, met_silence, note_silence, silence};
use super::{CONNECTION_TIMEOUT, STATEMENT_TIMEOUT};

/// The wait for a connection included. Longer than the pool and the server together allow: what they
/// give up themselves, they say.
const A_STATEMENT_MAY_TAKE: Duration = CONNECTION_TIMEOUT
    .saturating_add(STATEMENT_TIMEOUT)
    .saturating_add(Duration::from_millis(500));
/// How long a connection that is to be used again may take to show that it lives.
const A_SIGN_OF_LIFE_MAY_TAKE: Duration = Duration::from_secs(2);

pin_project! {
    /// A database call with a time limit. One that runs out of time is noted as a silence before its
    /// connection is let go of, so that the pool does not take that connection back.
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
        let done = ready!(this.timed.poll(cx)).unwrap_or_else(|_| Err(note_silence()));
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

    /// A call made to get a connection ready for a statement: only the statement's failure is counted.
    fn in_time_for_another(self, limit: Duration) -> Bounded<Self> {
        Bounded {
            timed: timeout(limit, self),
            is_counted: false,
        }
    }
}

impl<T, F: Future<Output = sqlx::Result<T>>> InTime<T> for F {}

/// For callers that cannot wait as long as a statement may take. The statements run to their end in a
/// task of their own, so that none is given up half-way. `None`: they failed, or are not done yet.
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

/// The error to answer with where the database says nothing any more: as a connection shows that is
/// not in use; where all are, as their statements met it a moment ago.
pub(crate) async fn find_silence(pool: &AnyPool) -> Option<sqlx::Error> {
    let Some(mut connection) = pool.try_acquire() else {
        return met_silence(A_SIGN_OF_LIFE_MAY_TAKE).then(silence);
    };
    match show_life(&mut connection).await {
        Err(error) if is_silence(&error) => Some(error),
        // One that ended this connection says something; the next statement gets another.
        Ok(()) | Err(_) => None,
    }
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
