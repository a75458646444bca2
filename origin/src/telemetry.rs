//! Log lines on stderr, as text or as JSON, by a thread of their own: whoever reads them too slowly
//! loses lines, which are counted, and holds up no request. Nothing secret is ever a field: secrets
//! are of types that print nothing.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{ConfigError, LogFormat};

/// Lines that may wait for stderr: about a megabyte, and a second of a busy origin.
const LINES_WAITING: usize = 4096;

static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// Begins logging. To be called once, before anything worth a line can happen; what still waits is
/// written when the guard is dropped, within a second or not at all.
pub fn start(filter: &str, format: LogFormat) -> Result<WorkerGuard, ConfigError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| ConfigError {
        variable: "PORTCULLIS_LOG",
        problem: format!("is not a log filter: {error}"),
    })?;
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_WAITING)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    LOST.get_or_init(|| writer.error_counter());
    let lines = fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    log_panics();
    Ok(guard)
}

/// Lines that nobody will ever read.
#[must_use]
pub fn lost_lines() -> u64 {
    let lost = LOST.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(lost).unwrap_or(u64::MAX)
}

/// The default would write to stderr at once, and wait there.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("without a message");
        tracing::error!(location, message, "a thread panicked");
    }));
}
