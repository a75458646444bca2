//! The settings of the canary: which edges it asks, and how often.

use clap::Args;
use url::Url;

use super::check::{Check, parts};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Canary")]
pub struct CanarySettings {
    /// Edges, by URL and separated by commas, that a canary watches: it logs in and out and asks them.
    #[arg(long, env = "PORTCULLIS_CANARY_EDGES", default_value = "")]
    canary_edges: String,
    /// Seconds between two observations of the canary.
    #[arg(long, env = "PORTCULLIS_CANARY_INTERVAL_SECS", default_value = "60")]
    canary_interval_secs: String,
}

#[derive(Debug, Clone)]
pub struct CanaryConfig {
    /// Empty: there is no canary.
    pub edges: Vec<Url>,
    pub interval_secs: u64,
}

impl CanarySettings {
    pub(super) fn validate(self, check: &mut Check) -> CanaryConfig {
        CanaryConfig {
            edges: check.edges(&self.canary_edges),
            interval_secs: check.number(
                "PORTCULLIS_CANARY_INTERVAL_SECS",
                &self.canary_interval_secs,
                5..=86_400,
            ),
        }
    }
}

impl Check {
    fn edges(&mut self, text: &str) -> Vec<Url> {
        let mut urls = Vec::new();
        for part in parts(text) {
            match Url::parse(part) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => urls.push(url),
                _ => self.refuse(
                    "PORTCULLIS_CANARY_EDGES",
                    format!("{part:?} is not an http or https URL"),
                ),
            }
        }
        urls
    }
}
