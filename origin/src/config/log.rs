//! The settings of the log: what is worth a line, and how lines look.

use clap::Args;

use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogSettings {
    /// Log filter, e.g. `info` or `origin=debug`.
    #[arg(long, env = "PORTCULLIS_LOG", default_value = "info")]
    log: String,
    /// `text` or `json`.
    #[arg(long, env = "PORTCULLIS_LOG_FORMAT", default_value = "text")]
    log_format: String,
}

#[derive(Debug, Clone)]
pub struct LogConfig {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogSettings {
    pub(super) fn validate(self, check: &mut Check) -> LogConfig {
        LogConfig {
            filter: self.log,
            format: check.log_format(&self.log_format),
        }
    }
}

impl Check {
    fn log_format(&mut self, name: &str) -> LogFormat {
        match name {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => {
                self.refuse(
                    "PORTCULLIS_LOG_FORMAT",
                    format!("{name:?} is not text or json"),
                );
                LogFormat::Text
            }
        }
    }
}
