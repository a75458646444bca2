//! What is remembered of a database that said nothing in time.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When the database last said nothing in time.
static LAST_SILENCE: Mutex<Option<Instant>> = Mutex::new(None);

/// Notes it; the error is for whoever waited.
pub(super) fn note_silence() -> sqlx::Error {
    *last_silence() = Some(Instant::now());
    silence()
}

/// Whether a connection of this age was open when the database last said nothing. It may hold what
/// was given up: a BEGIN that the driver forgot, and the server did not. So it is not used again.
pub(super) fn met_silence(age: Duration) -> bool {
    last_silence().is_some_and(|at| at.elapsed() <= age)
}

/// Whether the call was given up by us. Where the system gave up a socket, the error has its code.
pub(super) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error)
        if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none())
}

pub(super) fn silence() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the database says nothing").into()
}

/// A panic elsewhere does not make a plain value wrong.
fn last_silence() -> MutexGuard<'static, Option<Instant>> {
    LAST_SILENCE.lock().unwrap_or_else(PoisonError::into_inner)
}
