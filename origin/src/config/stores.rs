//! The settings of what is kept: the data folder, the database, Redis, and for how long. URLs have
//! passwords in them and are never shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::check::Check;
use crate::redis_server::RedisServer;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stores")]
pub struct StoreSettings {
    /// Folder for keys and, by default, the database.
    #[arg(long, env = "PORTCULLIS_DATA_DIR", default_value = "./.portcullis")]
    data_dir: PathBuf,
    /// `postgres://…` or `sqlite:…`; by default one SQLite file in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<SecretString>,
    /// `redis://…`, or `rediss://…` for TLS; without it the database answers everything.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<SecretString>,
    /// File of certificates (PEM) of those who may vouch for that Redis; by default the machine's.
    #[arg(long, env = "PORTCULLIS_REDIS_CA_FILE")]
    redis_ca_file: Option<PathBuf>,
    /// Milliseconds that Redis may take for an answer; then the database is asked.
    #[arg(long, env = "PORTCULLIS_REDIS_TIMEOUT_MS", default_value = "200")]
    redis_timeout_ms: String,
    /// Days that the audit log is kept.
    #[arg(long, env = "PORTCULLIS_AUDIT_DAYS", default_value = "365")]
    audit_days: String,
}

#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub data_dir: PathBuf,
    pub database_url: SecretString,
    pub redis: Option<RedisServer>,
    pub redis_may_take: Duration,
    pub audit_days: u64,
}

impl StoreSettings {
    pub(super) fn validate(self, check: &mut Check) -> StoreConfig {
        StoreConfig {
            database_url: check.database_url(self.database_url, &self.data_dir),
            redis: check.redis(self.redis_url, self.redis_ca_file),
            redis_may_take: Duration::from_millis(check.number(
                "PORTCULLIS_REDIS_TIMEOUT_MS",
                &self.redis_timeout_ms,
                50..=10_000,
            )),
            audit_days: check.number("PORTCULLIS_AUDIT_DAYS", &self.audit_days, 1..=36_500),
            data_dir: self.data_dir,
        }
    }
}

impl Check {
    fn database_url(&mut self, url: Option<SecretString>, data_dir: &Path) -> SecretString {
        let Some(url) = url else {
            let file = data_dir.join("portcullis.sqlite");
            return format!("sqlite:{}", file.display()).into();
        };
        let scheme = url.expose_secret().split(':').next().unwrap_or_default();
        if !matches!(scheme, "postgres" | "postgresql" | "sqlite") {
            self.refuse(
                "DATABASE_URL",
                "does not start with postgres:, postgresql: or sqlite:",
            );
        } else if scheme != "sqlite" && Url::parse(url.expose_secret()).is_err() {
            self.refuse("DATABASE_URL", "is not a URL");
        }
        url
    }

    fn redis(
        &mut self,
        url: Option<SecretString>,
        ca_file: Option<PathBuf>,
    ) -> Option<RedisServer> {
        let ca_file = ca_file.filter(|file| !file.as_os_str().is_empty());
        let Some(url) = url.filter(|text| !text.expose_secret().is_empty()) else {
            if ca_file.is_some() {
                self.refuse("PORTCULLIS_REDIS_CA_FILE", "is set without REDIS_URL");
            }
            return None;
        };
        RedisServer::new(&url, ca_file.as_deref())
            .map_err(|error| self.refuse(error.variable(), error.to_string()))
            .ok()
    }
}
