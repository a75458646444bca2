//! The origin's configuration: what may be set, the defaults, and the check of all of it before
//! anything starts. Every error names the variable that it is about; no value of a secret is shown.

mod canary;
mod check;
mod http;
mod keys;
mod lanes;
mod limits;
mod list;
mod log;
mod mail;
mod passwords;
mod stores;
mod tokens;

use clap::Args;

use check::Check;

pub use canary::{CanaryConfig, CanarySettings};
pub use http::{HttpConfig, HttpSettings};
pub use keys::{KeyConfig, KeySettings};
pub use lanes::{KvConfig, LaneConfig, LaneSettings};
pub use limits::{LimitConfig, LimitSettings};
pub use list::{ListConfig, ListSettings};
pub use log::{LogConfig, LogFormat, LogSettings};
pub use mail::{MailConfig, MailSettings, MailWay};
pub use passwords::{PasswordConfig, PasswordSettings};
pub use stores::{StoreConfig, StoreSettings};
pub use tokens::{TokenConfig, TokenSettings};

/// The settings as they were given: strings, so that all mistakes are reported at once.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    stores: StoreSettings,
    #[command(flatten)]
    tokens: TokenSettings,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    list: ListSettings,
    #[command(flatten)]
    lanes: LaneSettings,
    #[command(flatten)]
    canary: CanarySettings,
    #[command(flatten)]
    passwords: PasswordSettings,
    #[command(flatten)]
    limits: LimitSettings,
    #[command(flatten)]
    mail: MailSettings,
    #[command(flatten)]
    log: LogSettings,
}

/// A configuration that was checked as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    pub http: HttpConfig,
    pub stores: StoreConfig,
    pub tokens: TokenConfig,
    pub keys: KeyConfig,
    pub list: ListConfig,
    pub lanes: LaneConfig,
    pub canary: CanaryConfig,
    pub passwords: PasswordConfig,
    pub limits: LimitConfig,
    pub mail: MailConfig,
    pub log: LogConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
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
        let http = self.http.validate(&mut check);
        let stores = self.stores.validate(&mut check);
        let config = Config {
            tokens: self.tokens.validate(&mut check, http.listen),
            keys: self.keys.validate(&mut check),
            list: self.list.validate(&mut check),
            lanes: self.lanes.validate(&mut check),
            canary: self.canary.validate(&mut check),
            passwords: self.passwords.validate(&mut check),
            limits: self.limits.validate(&mut check),
            mail: self.mail.validate(&mut check, &stores.data_dir),
            log: self.log.validate(&mut check),
            http,
            stores,
        };
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
        assert_eq!(config.tokens.issuer, "http://127.0.0.1:9000");
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
                "PORTCULLIS_ACCESS_TOKEN_SECS",
                "PORTCULLIS_SIGNING_ALG",
                "PORTCULLIS_EDGE_SECRET",
                "PORTCULLIS_KV_NAMESPACE_ID",
                "PORTCULLIS_LOG_FORMAT",
            ]
        );
    }

    #[test]
    fn redis_is_verified_or_refused() {
        let ca_file = "PORTCULLIS_REDIS_CA_FILE";
        for (flags, wrong) in [
            (&["--redis-url=rediss://cache/#insecure"][..], "REDIS_URL"),
            (&["--redis-ca-file=/nowhere.pem"], ca_file),
            (
                &["--redis-url=redis://cache", "--redis-ca-file=/nowhere.pem"],
                ca_file,
            ),
            (
                &["--redis-url=rediss://cache", "--redis-ca-file=/nowhere.pem"],
                ca_file,
            ),
            (
                &["--redis-url=rediss://cache", "--redis-ca-file=Cargo.toml"],
                ca_file,
            ),
        ] {
            assert_eq!(variables(flags), [wrong], "{flags:?}");
        }
        assert!(validate(&["--redis-url=rediss://cache"]).is_ok());
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
        let redis = format!("rediss://:{secret}@cache");
        let flags = [
            "--database-url",
            &url,
            "--redis-url",
            &redis,
            "--edge-secret",
            secret,
        ];
        let config = validate(&flags).unwrap();
        assert!(!format!("{config:?}").contains(secret));
        let bad = format!("mysql://user:{secret}@db/x");
        let error = validate(&["--database-url", &bad]).unwrap_err().to_string();
        assert!(!error.contains(secret), "{error}");
    }
}
