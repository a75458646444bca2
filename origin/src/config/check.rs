//! The check of each setting. A mistake names the variable; the value is shown only where it is no
//! secret.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use shared::Algorithm;
use url::Url;

use super::{Config, ConfigError, KvConfig, LogFormat, Switch};

/// Collects mistakes; a setting that has one gets a placeholder that nobody will see.
#[derive(Default)]
pub(super) struct Check {
    pub(super) errors: Vec<ConfigError>,
}

impl Check {
    pub(super) fn refuse(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.errors.push(ConfigError {
            variable,
            problem: problem.into(),
        });
    }

    pub(super) fn parse<T: FromStr>(
        &mut self,
        variable: &'static str,
        text: &str,
        what: &str,
    ) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.refuse(variable, format!("{text:?} is not {what}"));
        }
        parsed
    }

    pub(super) fn number<N>(
        &mut self,
        variable: &'static str,
        text: &str,
        range: std::ops::RangeInclusive<N>,
    ) -> N
    where
        N: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.refuse(
                    variable,
                    format!("{text:?} is not a number from {low} to {high}"),
                );
                *low
            }
        }
    }

    pub(super) fn not_empty(&mut self, variable: &'static str, text: String) -> String {
        if text.trim().is_empty() {
            self.refuse(variable, "is empty");
        }
        text
    }

    pub(super) fn secret(
        &mut self,
        variable: &'static str,
        secret: Option<SecretString>,
    ) -> Option<SecretString> {
        if secret
            .as_ref()
            .is_some_and(|text| text.expose_secret().len() < 16)
        {
            self.refuse(variable, "is shorter than 16 characters");
        }
        secret
    }

    pub(super) fn issuer(&mut self, issuer: Option<&str>, listen: Option<SocketAddr>) -> String {
        let Some(text) = issuer else {
            return listen.map_or_else(String::new, |address| format!("http://{address}"));
        };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {}
            _ => self.refuse(
                "PORTCULLIS_ISSUER",
                format!("{text:?} is not an http or https URL"),
            ),
        }
        text.to_owned()
    }

    /// Base URLs, separated by commas.
    pub(super) fn urls(&mut self, variable: &'static str, texts: Option<&str>) -> Vec<Url> {
        let texts = texts.unwrap_or_default().split(',').map(str::trim);
        let mut urls = Vec::new();
        for text in texts.filter(|text| !text.is_empty()) {
            match Url::parse(text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => urls.push(url),
                _ => self.refuse(variable, format!("{text:?} is not an http or https URL")),
            }
        }
        urls
    }

    pub(super) fn database_url(
        &mut self,
        url: Option<SecretString>,
        data_dir: &Path,
    ) -> SecretString {
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

    pub(super) fn redis_url(&mut self, url: Option<SecretString>) -> Option<SecretString> {
        let url = url.filter(|text| !text.expose_secret().is_empty())?;
        if redis::Client::open(url.expose_secret()).is_err() {
            self.refuse("REDIS_URL", "is not a redis: URL");
        }
        Some(url)
    }

    pub(super) fn signing_algorithm(&mut self, name: &str) -> Algorithm {
        if let Some(issued @ (Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256)) =
            Algorithm::parse(name)
        {
            return issued;
        }
        self.refuse(
            "PORTCULLIS_SIGNING_ALG",
            format!("{name:?} is not EdDSA, ES256 or RS256"),
        );
        Algorithm::EdDsa
    }

    /// A key that is a setting cannot be replaced by us.
    pub(super) fn rotation_days(&mut self, text: &str, key_is_set: bool) -> Option<u64> {
        const VARIABLE: &str = "PORTCULLIS_KEY_ROTATION_DAYS";
        let days = self.number(VARIABLE, text, 0..=3650);
        if days > 0 && key_is_set {
            self.refuse(VARIABLE, "cannot be kept to: PORTCULLIS_SIGNING_KEY is set");
        }
        (days > 0).then_some(days)
    }

    pub(super) fn kv(
        &mut self,
        api_url: Option<String>,
        namespace_id: Option<String>,
        api_token: Option<SecretString>,
    ) -> Option<KvConfig> {
        match (api_url, namespace_id) {
            (None, None) => {
                if api_token.is_some() {
                    self.refuse(
                        "PORTCULLIS_KV_API_TOKEN",
                        "is set without PORTCULLIS_KV_API_URL",
                    );
                }
                None
            }
            (Some(_), None) => {
                self.refuse(
                    "PORTCULLIS_KV_NAMESPACE_ID",
                    "is missing: PORTCULLIS_KV_API_URL is set",
                );
                None
            }
            (None, Some(_)) => {
                self.refuse(
                    "PORTCULLIS_KV_API_URL",
                    "is missing: PORTCULLIS_KV_NAMESPACE_ID is set",
                );
                None
            }
            (Some(url), Some(namespace_id)) => {
                let api_url = self.parse("PORTCULLIS_KV_API_URL", &url, "a URL")?;
                Some(KvConfig {
                    api_url,
                    namespace_id,
                    api_token,
                })
            }
        }
    }

    pub(super) fn networks(&mut self, variable: &'static str, text: &str) -> Vec<IpNet> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let mut networks = Vec::new();
        for part in parts {
            match part.parse().or_else(|_| part.parse().map(IpAddr::into)) {
                Ok(network) => networks.push(network),
                Err(_) => self.refuse(variable, format!("{part:?} is not an address or a network")),
            }
        }
        networks
    }

    /// As browsers write them: scheme, host and port, and nothing more.
    pub(super) fn origins(&mut self, variable: &'static str, text: &str) -> Vec<String> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let mut origins = Vec::new();
        for part in parts {
            let origin = Url::parse(part).map(|url| url.origin().ascii_serialization());
            match origin {
                Ok(origin) if origin == part => origins.push(origin),
                _ => self.refuse(
                    variable,
                    format!("{part:?} is not an origin, as https://app.example.org is"),
                ),
            }
        }
        origins
    }

    pub(super) fn switch(&mut self, variable: &'static str, text: &str) -> Switch {
        match text {
            "on" => Switch::On,
            "off" => Switch::Off,
            _ => {
                self.refuse(variable, format!("{text:?} is not on or off"));
                Switch::Off
            }
        }
    }

    pub(super) fn log_format(&mut self, name: &str) -> LogFormat {
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

    /// Who uses an access token to its end and then refreshes was not idle.
    pub(super) fn idle_fits_tokens(&mut self, config: &Config) {
        if config.session_idle_secs < config.access_token_secs {
            self.refuse(
                "PORTCULLIS_SESSION_IDLE_SECS",
                "is shorter than PORTCULLIS_ACCESS_TOKEN_SECS: sessions in use would end",
            );
        }
    }

    /// A list that dies before the next one is made would close every edge between the two.
    pub(super) fn heartbeat_fits_lifetime(&mut self, config: &Config) {
        if config.heartbeat_secs >= config.list_lifetime_secs {
            self.refuse(
                "PORTCULLIS_HEARTBEAT_SECS",
                "is not shorter than PORTCULLIS_LIST_LIFETIME_SECS: lists would end before their successors",
            );
        }
    }
}
