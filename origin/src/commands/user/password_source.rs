//! Where a new password comes from: standard input, or it is made here and shown once. As an argument
//! everybody on the machine could read it.

use clap::Args;
use secrecy::SecretString;

use super::read_secret_line;
use crate::random;

#[derive(Debug, Clone, Args)]
pub(super) struct PasswordSource {
    /// Read the password from standard input; otherwise one is made and printed once.
    #[arg(long)]
    password_stdin: bool,
}

pub(super) struct NewPassword {
    pub(super) password: SecretString,
    /// What is to be shown; `None`: whoever gave it knows it.
    pub(super) made: Option<String>,
}

impl PasswordSource {
    pub(super) fn read(&self) -> anyhow::Result<NewPassword> {
        if self.password_stdin {
            return Ok(NewPassword {
                password: read_secret_line()?,
                made: None,
            });
        }
        let made = random::new_secret()?;
        Ok(NewPassword {
            password: SecretString::from(made.as_str()),
            made: Some(made),
        })
    }
}
