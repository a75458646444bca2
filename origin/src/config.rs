//! The origin's configuration: what may be set, the defaults, and the check of all of it before
//! anything starts. Every error names the variable that it is about; no value of a secret is shown.

mod check;
mod mail;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use secrecy::SecretString;
use shared::Algorithm;
use url::Url;

use check::Check;
pub use mail::{MailConfig, MailSettings, MailWay};

/// The settings as they were given: strings, so that all mistakes are reported at once.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen on.
    #[arg(long, env = "PORTCULLIS_LISTEN", default_value = "127.0.0.1:8085")]
    listen: String,
    /// The `iss` of every token; by default `http://<listen>`.
    #[arg(long, env = "PORTCULLIS_ISSUER")]
    issuer: Option<String>,
    /// The `aud` of every token.
    #[arg(long, env = "PORTCULLIS_AUDIENCE", default_value = "portcullis")]
    audience: String,
    /// `postgres://…` or `sqlite:…`; by default one SQLite file in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<SecretString>,
    /// `redis://…`; without it the database answers everything.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<SecretString>,
    /// Folder for keys and, by default, the database.
    #[arg(long, env = "PORTCULLIS_DATA_DIR", default_value = "./.portcullis")]
    data_dir: PathBuf,
    /// Algorithm of the token key: `EdDSA`, `ES256` or `RS256`.
    #[arg(long, env = "PORTCULLIS_SIGNING_ALG", default_value = "EdDSA")]
    signing_alg: String,
    /// Token key as PKCS#8 PEM text; else made on first start in the data folder. Several texts, one
    /// after the other, are the older keys and the newest.
    #[arg(long, env = "PORTCULLIS_SIGNING_KEY", hide_env_values = true)]
    signing_key: Option<SecretString>,
    /// Days after which a new token key takes over; 0: only by `portcullis keys rotate`.
    #[arg(long, env = "PORTCULLIS_KEY_ROTATION_DAYS", default_value = "0")]
    key_rotation_days: String,
    /// List key (Ed25519) as PKCS#8 PEM text; else made on first start in the data folder.
    #[arg(long, env = "PORTCULLIS_LIST_KEY", hide_env_values = true)]
    list_key: Option<SecretString>,
    /// Life of an access token in seconds.
    #[arg(long, env = "PORTCULLIS_ACCESS_TOKEN_SECS", default_value = "3600")]
    access_token_secs: String,
    /// Life of a session and of its refresh tokens in seconds.
    #[arg(long, env = "PORTCULLIS_REFRESH_TOKEN_SECS", default_value = "2592000")]
    refresh_token_secs: String,
    /// Seconds after which a session ends that is not refreshed; by default as long as it lives.
    #[arg(long, env = "PORTCULLIS_SESSION_IDLE_SECS")]
    session_idle_secs: Option<String>,
    /// Days that the audit log is kept.
    #[arg(long, env = "PORTCULLIS_AUDIT_DAYS", default_value = "365")]
    audit_days: String,
    /// Seconds between two list heads when nothing was revoked.
    #[arg(long, env = "PORTCULLIS_HEARTBEAT_SECS", default_value = "15")]
    heartbeat_secs: String,
    /// Seconds from a list head's `iat` to its `exp`.
    #[arg(long, env = "PORTCULLIS_LIST_LIFETIME_SECS", default_value = "180")]
    list_lifetime_secs: String,
    /// Seconds past a list's `exp` that a route may be allowed to go on.
    #[arg(long, env = "PORTCULLIS_LIST_GRACE_SECS", default_value = "0")]
    list_grace_secs: String,
    /// Bearer secret of the edges; without it `/revocations/head` and segments answer 503.
    #[arg(long, env = "PORTCULLIS_EDGE_SECRET", hide_env_values = true)]
    edge_secret: Option<SecretString>,
    /// Base of Cloudflare's KV API, e.g. `https://api.cloudflare.com/client/v4/accounts/<account>`.
    #[arg(long, env = "PORTCULLIS_KV_API_URL")]
    kv_api_url: Option<String>,
    /// The KV namespace that the list is published to.
    #[arg(long, env = "PORTCULLIS_KV_NAMESPACE_ID")]
    kv_namespace_id: Option<String>,
    /// API token for the KV API.
    #[arg(long, env = "PORTCULLIS_KV_API_TOKEN", hide_env_values = true)]
    kv_api_token: Option<SecretString>,
    /// Most hanging pulls held at once.
    #[arg(long, env = "PORTCULLIS_MAX_WAITERS", default_value = "20000")]
    max_waiters: String,
    /// Edges, by URL and separated by commas, that a canary watches: it logs in and out and asks them.
    #[arg(long, env = "PORTCULLIS_CANARY_EDGES")]
    canary_edges: Option<String>,
    /// Seconds between two observations of the canary.
    #[arg(long, env = "PORTCULLIS_CANARY_INTERVAL_SECS", default_value = "60")]
    canary_interval_secs: String,
    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed, e.g.
    /// `10.0.0.0/8,2001:db8::/32`.
    #[arg(long, env = "PORTCULLIS_TRUSTED_PROXIES", default_value = "")]
    trusted_proxies: String,
    /// Shortest password accepted, in characters: 8 at least, 15 recommended.
    #[arg(long, env = "PORTCULLIS_PASSWORD_MIN_CHARS", default_value = "8")]
    password_min_chars: String,
    /// Origins of pages that may call this API from a browser, e.g. `https://app.example.org`.
    #[arg(long, env = "PORTCULLIS_CORS_ORIGINS", default_value = "")]
    cors_origins: String,
    /// `on` or `off`: whether clients may trade a user's password for tokens at `/token`.
    #[arg(long, env = "PORTCULLIS_PASSWORD_GRANT", default_value = "on")]
    password_grant: String,
    #[command(flatten)]
    mail: MailSettings,
    /// Log filter, e.g. `info` or `origin=debug`.
    #[arg(long, env = "PORTCULLIS_LOG", default_value = "info")]
    log: String,
    /// `text` or `json`.
    #[arg(long, env = "PORTCULLIS_LOG_FORMAT", default_value = "text")]
    log_format: String,
}

/// A configuration that was checked as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub issuer: String,
    /// Whether someone named the issuer, or it is where we listen.
    pub issuer_is_given: bool,
    pub audience: String,
    pub database_url: SecretString,
    pub redis_url: Option<SecretString>,
    pub data_dir: PathBuf,
    pub signing_algorithm: Algorithm,
    pub signing_key: Option<SecretString>,
    pub key_rotation_days: Option<u64>,
    pub list_key: Option<SecretString>,
    pub access_token_secs: u64,
    pub refresh_token_secs: u64,
    pub session_idle_secs: u64,
    pub audit_days: u64,
    pub heartbeat_secs: u64,
    pub list_lifetime_secs: u64,
    pub list_grace_secs: u64,
    pub edge_secret: Option<SecretString>,
    pub kv: Option<KvConfig>,
    pub max_waiters: usize,
    /// Empty: there is no canary.
    pub canary_edges: Vec<Url>,
    pub canary_interval_secs: u64,
    pub trusted_proxies: Vec<IpNet>,
    pub password_min_chars: usize,
    /// Each as browsers write it; none: pages of other origins may not ask.
    pub cors_origins: Vec<String>,
    pub password_grant: Switch,
    pub mail: MailConfig,
    pub log_filter: String,
    pub log_format: LogFormat,
}

/// Where the durable lane is written to.
#[derive(Debug, Clone)]
pub struct KvConfig {
    pub api_url: Url,
    pub namespace_id: String,
    pub api_token: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub problem: String,
}

/// Every mistake in the configuration, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl Settings {
    /// Checks every setting and reports all mistakes together.
    pub fn validate(self) -> Result<Config, ConfigErrors> {
        let mut check = Check::default();
        let listen = check.parse("PORTCULLIS_LISTEN", &self.listen, "an address and a port");
        let config = Config {
            issuer_is_given: self.issuer.is_some(),
            issuer: check.issuer(self.issuer.as_deref(), listen),
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            audience: check.not_empty("PORTCULLIS_AUDIENCE", self.audience),
            database_url: check.database_url(self.database_url, &self.data_dir),
            redis_url: check.redis_url(self.redis_url),
            signing_algorithm: check.signing_algorithm(&self.signing_alg),
            key_rotation_days: check
                .rotation_days(&self.key_rotation_days, self.signing_key.is_some()),
            signing_key: self.signing_key,
            list_key: self.list_key,
            access_token_secs: check.number(
                "PORTCULLIS_ACCESS_TOKEN_SECS",
                &self.access_token_secs,
                1..=86_400,
            ),
            refresh_token_secs: check.number(
                "PORTCULLIS_REFRESH_TOKEN_SECS",
                &self.refresh_token_secs,
                1..=31_536_000,
            ),
            session_idle_secs: check.number(
                "PORTCULLIS_SESSION_IDLE_SECS",
                self.session_idle_secs
                    .as_deref()
                    .unwrap_or(&self.refresh_token_secs),
                1..=31_536_000,
            ),
            audit_days: check.number("PORTCULLIS_AUDIT_DAYS", &self.audit_days, 1..=36_500),
            heartbeat_secs: check.number(
                "PORTCULLIS_HEARTBEAT_SECS",
                &self.heartbeat_secs,
                1..=86_400,
            ),
            list_lifetime_secs: check.number(
                "PORTCULLIS_LIST_LIFETIME_SECS",
                &self.list_lifetime_secs,
                2..=86_400,
            ),
            list_grace_secs: check.number(
                "PORTCULLIS_LIST_GRACE_SECS",
                &self.list_grace_secs,
                0..=86_400,
            ),
            edge_secret: check.secret("PORTCULLIS_EDGE_SECRET", self.edge_secret),
            kv: check.kv(self.kv_api_url, self.kv_namespace_id, self.kv_api_token),
            max_waiters: check.number("PORTCULLIS_MAX_WAITERS", &self.max_waiters, 0..=1_000_000),
            canary_edges: check.urls("PORTCULLIS_CANARY_EDGES", self.canary_edges.as_deref()),
            canary_interval_secs: check.number(
                "PORTCULLIS_CANARY_INTERVAL_SECS",
                &self.canary_interval_secs,
                5..=86_400,
            ),
            trusted_proxies: check.networks("PORTCULLIS_TRUSTED_PROXIES", &self.trusted_proxies),
            password_min_chars: check.number(
                "PORTCULLIS_PASSWORD_MIN_CHARS",
                &self.password_min_chars,
                8..=64,
            ),
            cors_origins: check.origins("PORTCULLIS_CORS_ORIGINS", &self.cors_origins),
            password_grant: check.switch("PORTCULLIS_PASSWORD_GRANT", &self.password_grant),
            mail: self.mail.validate(&mut check, &self.data_dir),
            log_filter: self.log,
            log_format: check.log_format(&self.log_format),
            data_dir: self.data_dir,
        };
        check.heartbeat_fits_lifetime(&config);
        if self.session_idle_secs.is_some() {
            check.idle_fits_tokens(&config);
        }
        if check.errors.is_empty() {
            Ok(config)
        } else {
            Err(ConfigErrors(check.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn validate(flags: &[&str]) -> Result<Config, ConfigErrors> {
        Line::parse_from([&["portcullis"], flags].concat())
            .settings
            .validate()
    }

    fn variables(flags: &[&str]) -> Vec<&'static str> {
        let errors = validate(flags).unwrap_err();
        errors.0.iter().map(|error| error.variable).collect()
    }

    #[test]
    fn the_issuer_is_by_default_where_it_listens() {
        let config = validate(&["--listen", "127.0.0.1:9000", "--data-dir", "/data"]).unwrap();
        assert_eq!(config.issuer, "http://127.0.0.1:9000");
    }

    #[test]
    fn reports_every_mistake_at_once_and_names_its_variable() {
        let flags = [
            "--listen=nowhere",
            "--signing-alg=HS256",
            "--access-token-secs=0",
            "--database-url=mysql://x",
            "--redis-url=http://x",
            "--edge-secret=short",
            "--kv-api-url=http://127.0.0.1:1",
            "--log-format=xml",
        ];
        assert_eq!(
            variables(&flags),
            [
                "PORTCULLIS_LISTEN",
                "DATABASE_URL",
                "REDIS_URL",
                "PORTCULLIS_SIGNING_ALG",
                "PORTCULLIS_ACCESS_TOKEN_SECS",
                "PORTCULLIS_EDGE_SECRET",
                "PORTCULLIS_KV_NAMESPACE_ID",
                "PORTCULLIS_LOG_FORMAT",
            ]
        );
    }

    #[test]
    fn a_list_must_outlive_the_heartbeat() {
        let flags = ["--heartbeat-secs=180", "--list-lifetime-secs=180"];
        assert_eq!(variables(&flags), ["PORTCULLIS_HEARTBEAT_SECS"]);
    }

    #[test]
    fn mail_needs_a_sender_a_safe_server_and_one_way() {
        let server = |url| {
            let url = format!("--smtp-url={url}");
            let from = "--mail-from=Example <no-reply@example.org>";
            validate(&[&url, from]).map(|config| config.mail.way)
        };
        for good in [
            "smtps://user:secret@mail.example.org",
            "smtp://user:secret@mail.example.org?tls=required",
            "smtp://mail.example.org",
            "smtp://user:secret@127.0.0.1:2525",
            "smtp://user:secret@[::1]:2525",
        ] {
            assert!(matches!(server(good), Ok(MailWay::Smtp(_))), "{good}");
        }
        for bad in [
            "nonsense",
            "http://mail.example.org",
            "smtp://mail.example.org?tls=perhaps",
            "smtp://user:secret@mail.example.org",
            "smtp://user:secret@mail.example.org?tls=opportunistic",
        ] {
            let error = server(bad).unwrap_err();
            assert_eq!(error.0[0].variable, "PORTCULLIS_SMTP_URL", "{bad}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let flags = [
            "--smtp-url=smtps://mail.example.org",
            "--mail-dir=/mail",
            "--verify-email=maybe",
            "--reset-page=/reset",
        ];
        assert_eq!(
            variables(&flags),
            [
                "PORTCULLIS_MAIL_FROM",
                "PORTCULLIS_MAIL_DIR",
                "PORTCULLIS_RESET_PAGE",
                "PORTCULLIS_VERIFY_EMAIL",
            ]
        );
        let from = "--mail-from=a@example.org\r\nBcc: b@example.org";
        assert_eq!(variables(&[from]), ["PORTCULLIS_MAIL_FROM"]);
    }

    #[test]
    fn shows_no_secret() {
        let secret = "hunter2-hunter2-hunter2";
        let url = format!("postgres://user:{secret}@db/x");
        let config = validate(&["--database-url", &url, "--edge-secret", secret]).unwrap();
        assert!(!format!("{config:?}").contains(secret));
        let bad = format!("mysql://user:{secret}@db/x");
        let error = validate(&["--database-url", &bad]).unwrap_err().to_string();
        assert!(!error.contains(secret), "{error}");
    }
}
