//! Log lines on stderr, as text or as JSON. Nothing secret is ever a field: secrets are of types
//! that print nothing.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{ConfigError, LogFormat};

/// Begins logging. To be called once, before anything worth a line can happen.
pub fn start(filter: &str, format: LogFormat) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| ConfigError {
        variable: "PORTCULLIS_LOG",
        problem: format!("is not a log filter: {error}"),
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
