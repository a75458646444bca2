//! `portcullis user create`: an account made by the operator, with roles that nobody can give
//! themselves.

use std::io::Read;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use secrecy::SecretString;

use crate::accounts::{self, OPERATOR, Registration};
use crate::app::App;

#[derive(Debug, Clone, Args)]
pub struct UserCommand {
    #[command(subcommand)]
    pub action: UserAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum UserAction {
    /// Make an account.
    #[command(
        after_help = "Example: printf %s \"$PASSWORD\" | portcullis user create \
                            --email ada@example.org --password-stdin --role operator"
    )]
    Create(CreateUser),
}

#[derive(Debug, Clone, Args)]
pub struct CreateUser {
    /// The e-mail address to log in with.
    #[arg(long)]
    email: String,
    /// Read the password from standard input; otherwise one is made and printed once.
    #[arg(long)]
    password_stdin: bool,
    /// A role of the account; may be given more than once.
    #[arg(long = "role", value_parser = [OPERATOR])]
    roles: Vec<String>,
}

/// Prints the account as JSON on standard output.
pub async fn run(app: &App, command: UserCommand) -> anyhow::Result<()> {
    match command.action {
        UserAction::Create(create) => create_user(app, &create).await,
    }
}

async fn create_user(app: &App, create: &CreateUser) -> anyhow::Result<()> {
    let made = if create.password_stdin {
        None
    } else {
        Some(crate::random::new_secret()?)
    };
    let password = match &made {
        Some(password) => SecretString::from(password.as_str()),
        None => read_secret_line()?,
    };
    let registration = Registration {
        email: &create.email,
        password: &password,
        name: None,
        roles: &create.roles,
        address: None,
    };
    let user = accounts::register(app, &registration).await?;
    let mut shown = serde_json::json!({ "id": user.id, "email": user.email, "roles": user.roles });
    if let Some(password) = made {
        shown["password"] = password.into();
    }
    super::print_line(&shown.to_string()).with_context(|| {
        format!(
            "the account {} is made but could not be printed; if its password is not known, \
             `POST /password/forgot` mails the way to another",
            user.email
        )
    })
}

/// The whole of standard input but for one line end.
pub(super) fn read_secret_line() -> anyhow::Result<SecretString> {
    const MAX_BYTES: u64 = 4096;
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    ensure!(!line.is_empty(), "standard input is empty");
    Ok(SecretString::from(line))
}
