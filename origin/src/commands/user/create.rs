//! `portcullis user create`. A password that is made here is shown once.

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;

use super::read_secret_line;
use crate::accounts::{self, Registration};
use crate::app::App;
use crate::random;

#[derive(Debug, Clone, Args)]
pub struct CreateUser {
    /// The e-mail address to log in with.
    #[arg(long)]
    email: String,
    /// What the user is called.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input; otherwise one is made and printed once.
    #[arg(long)]
    password_stdin: bool,
    /// A role of the account; may be given more than once. `operator` may revoke anything.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Print JSON, as it does anyway.
    #[arg(long)]
    json: bool,
}

/// Prints the account as JSON on standard output.
pub(super) async fn run(app: &App, create: &CreateUser) -> anyhow::Result<()> {
    let made = if create.password_stdin {
        None
    } else {
        Some(random::new_secret()?)
    };
    let password = match &made {
        Some(password) => SecretString::from(password.as_str()),
        None => read_secret_line()?,
    };
    let registration = Registration {
        email: &create.email,
        password: &password,
        name: create.name.as_deref(),
        roles: &create.roles,
        address: None,
    };
    let user = accounts::register(app, &registration).await?;
    let mut shown = super::describe(&user);
    if let Some(password) = made {
        shown["password"] = password.into();
    }
    crate::commands::print_line(&shown.to_string()).with_context(|| {
        format!(
            "the account {} is made but could not be printed; if its password is not known, \
             `POST /password/forgot` mails the way to another",
            user.email
        )
    })
}
