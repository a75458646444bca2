//! The settings of tokens and sessions: who issues them, whom they are for, and how long they live.

use std::net::SocketAddr;

use clap::Args;
use url::Url;

use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens and sessions")]
pub struct TokenSettings {
    /// The `iss` of every token; by default `http://<listen>`.
    #[arg(long, env = "PORTCULLIS_ISSUER")]
    issuer: Option<String>,
    /// The `aud` of every token.
    #[arg(long, env = "PORTCULLIS_AUDIENCE", default_value = "portcullis")]
    audience: String,
    /// Life of an access token in seconds.
    #[arg(long, env = "PORTCULLIS_ACCESS_TOKEN_SECS", default_value = "3600")]
    access_token_secs: String,
    /// Life of a session and of its refresh tokens in seconds.
    #[arg(long, env = "PORTCULLIS_REFRESH_TOKEN_SECS", default_value = "2592000")]
    refresh_token_secs: String,
    /// Seconds after which a session ends that is not refreshed; by default as long as it lives.
    #[arg(long, env = "PORTCULLIS_SESSION_IDLE_SECS")]
    session_idle_secs: Option<String>,
}

#[derive(Debug, Clone)]
pub struct TokenConfig {
    pub issuer: String,
    /// Whether someone named the issuer, or it is where we listen.
    pub issuer_is_given: bool,
    pub audience: String,
    pub access_token_secs: u64,
    pub refresh_token_secs: u64,
    pub session_idle_secs: u64,
}

impl TokenSettings {
    pub(super) fn validate(self, check: &mut Check, listen: SocketAddr) -> TokenConfig {
        let idle_is_given = self.session_idle_secs.is_some();
        let idle_secs = self.session_idle_secs.as_ref();
        let idle_secs = idle_secs.unwrap_or(&self.refresh_token_secs);
        let config = TokenConfig {
            issuer_is_given: self.issuer.is_some(),
            issuer: check.issuer(self.issuer.as_deref(), listen),
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
                idle_secs,
                1..=31_536_000,
            ),
            audience: check.not_empty("PORTCULLIS_AUDIENCE", self.audience),
        };
        if idle_is_given {
            check.idle_fits_tokens(&config);
        }
        config
    }
}

impl Check {
    fn issuer(&mut self, issuer: Option<&str>, listen: SocketAddr) -> String {
        let Some(text) = issuer else {
            return format!("http://{listen}");
        };
        match Url::parse(text) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    // RFC 8414, section 2.
                    && url.query().is_none()
                    && url.fragment().is_none() => {}
            _ => self.refuse(
                "PORTCULLIS_ISSUER",
                format!("{text:?} is not an http or https URL without query and fragment"),
            ),
        }
        text.to_owned()
    }

    /// Who uses an access token to its end and then refreshes was not idle.
    fn idle_fits_tokens(&mut self, config: &TokenConfig) {
        if config.session_idle_secs < config.access_token_secs {
            self.refuse(
                "PORTCULLIS_SESSION_IDLE_SECS",
                "is shorter than PORTCULLIS_ACCESS_TOKEN_SECS: sessions in use would end",
            );
        }
    }
}
