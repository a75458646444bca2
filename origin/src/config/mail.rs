//! The settings of mail: where it goes, whom it is from, and which pages it points to. A password
//! for the mail server is never shown, and never sent in the clear over a network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Switch;
use super::check::Check;

const FROM_WITHOUT_SERVER: &str = "Portcullis <portcullis@localhost>";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// Mail server: `smtps://user:password@host`, or `smtp://host?tls=required`; without one, mail
    /// is put into a folder.
    #[arg(long, env = "PORTCULLIS_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<SecretString>,
    /// Folder that mail is put into, as `.eml` files; by default `mail` in the data folder.
    #[arg(long, env = "PORTCULLIS_MAIL_DIR")]
    mail_dir: Option<PathBuf>,
    /// Whom mail is from, e.g. `Example <no-reply@example.org>`; needed with a mail server.
    #[arg(long, env = "PORTCULLIS_MAIL_FROM")]
    mail_from: Option<String>,
    /// Page that asks for a new password; its link in the mail ends in `#token=…`.
    #[arg(long, env = "PORTCULLIS_RESET_PAGE")]
    reset_page: Option<String>,
    /// Page that confirms an address; its link in the mail ends in `#token=…`.
    #[arg(long, env = "PORTCULLIS_VERIFY_PAGE")]
    verify_page: Option<String>,
    /// `on`: who registers gets a mail with which to confirm the address.
    #[arg(long, env = "PORTCULLIS_VERIFY_EMAIL", default_value = "off")]
    verify_email: String,
}

#[derive(Debug, Clone)]
pub struct MailConfig {
    pub way: MailWay,
    pub from: Mailbox,
    pub reset_page: Option<Url>,
    pub verify_page: Option<Url>,
    /// Whether those who register are asked to confirm their address.
    pub verify_email: Switch,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub enum MailWay {
    Smtp(SecretString),
    Folder(PathBuf),
}

impl MailSettings {
    pub(super) fn validate(self, check: &mut Check, data_dir: &Path) -> MailConfig {
        let smtp_url = self.smtp_url.filter(|url| !url.expose_secret().is_empty());
        MailConfig {
            from: check.mail_from(self.mail_from.as_deref(), smtp_url.is_some()),
            way: check.mail_way(smtp_url, self.mail_dir, data_dir),
            reset_page: check.page("PORTCULLIS_RESET_PAGE", self.reset_page),
            verify_page: check.page("PORTCULLIS_VERIFY_PAGE", self.verify_page),
            verify_email: check.switch("PORTCULLIS_VERIFY_EMAIL", &self.verify_email),
        }
    }
}

impl Check {
    fn mail_way(
        &mut self,
        smtp_url: Option<SecretString>,
        mail_dir: Option<PathBuf>,
        data_dir: &Path,
    ) -> MailWay {
        match (smtp_url, mail_dir) {
            (None, folder) => MailWay::Folder(folder.unwrap_or_else(|| data_dir.join("mail"))),
            (Some(url), None) => {
                self.smtp_url(url.expose_secret());
                MailWay::Smtp(url)
            }
            (Some(url), Some(_)) => {
                self.refuse(
                    "PORTCULLIS_MAIL_DIR",
                    "is set beside PORTCULLIS_SMTP_URL: mail goes one way",
                );
                MailWay::Smtp(url)
            }
        }
    }

    fn smtp_url(&mut self, text: &str) {
        const VARIABLE: &str = "PORTCULLIS_SMTP_URL";
        let Ok(url) = Url::parse(text) else {
            return self.refuse(VARIABLE, "is not a URL");
        };
        if AsyncSmtpTransport::<Tokio1Executor>::from_url(text).is_err() {
            self.refuse(
                VARIABLE,
                "is not smtps://… or smtp://…, with tls=required or tls=opportunistic if any",
            );
        } else if url.password().is_some() && !is_secure(&url) {
            self.refuse(
                VARIABLE,
                "would send the password in the clear: use smtps:// or add ?tls=required",
            );
        }
    }

    fn mail_from(&mut self, text: Option<&str>, has_server: bool) -> Mailbox {
        if text.is_none() && has_server {
            self.refuse(
                "PORTCULLIS_MAIL_FROM",
                "is missing: PORTCULLIS_SMTP_URL is set",
            );
        }
        let parsed = self.parse(
            "PORTCULLIS_MAIL_FROM",
            text.unwrap_or(FROM_WITHOUT_SERVER),
            "an e-mail address",
        );
        parsed.unwrap_or_else(|| {
            // Unwrap safety: the constant is an address, as every default start shows.
            FROM_WITHOUT_SERVER.parse().expect("an address")
        })
    }

    /// The token travels behind `#`, which no browser sends to a server.
    fn page(&mut self, variable: &'static str, text: Option<String>) -> Option<Url> {
        let text = text.filter(|text| !text.is_empty())?;
        let url = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none());
        if url.is_none() {
            self.refuse(
                variable,
                format!("{text:?} is not an http or https URL without a fragment"),
            );
        }
        url
    }
}

/// Encrypted in any case, or not over a network.
fn is_secure(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address
        .parse()
        .map_or(host == "localhost", |ip: IpAddr| ip.is_loopback());
    let encrypts = url.scheme() == "smtps"
        || url
            .query_pairs()
            .any(|(name, value)| name == "tls" && value == "required");
    is_loopback || encrypts
}
