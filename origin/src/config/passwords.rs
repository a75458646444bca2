//! The settings of passwords: how long they are at least, and whether clients may trade them.

use clap::Args;

use super::Switch;
use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Passwords")]
pub struct PasswordSettings {
    /// Shortest password accepted, in characters: 8 at least, 15 recommended.
    #[arg(long, env = "PORTCULLIS_PASSWORD_MIN_CHARS", default_value = "8")]
    password_min_chars: String,
    /// `on` or `off`: whether clients may trade a user's password for tokens at `/token`.
    #[arg(long, env = "PORTCULLIS_PASSWORD_GRANT", default_value = "on")]
    password_grant: String,
}

#[derive(Debug, Clone)]
pub struct PasswordConfig {
    pub min_chars: usize,
    pub grant: Switch,
}

impl PasswordSettings {
    pub(super) fn validate(self, check: &mut Check) -> PasswordConfig {
        PasswordConfig {
            min_chars: check.number(
                "PORTCULLIS_PASSWORD_MIN_CHARS",
                &self.password_min_chars,
                8..=64,
            ),
            grant: check.switch("PORTCULLIS_PASSWORD_GRANT", &self.password_grant),
        }
    }
}
