//! `portcullis user`: accounts as an operator makes, disables and deletes them, with roles that
//! nobody can give themselves.

mod create;
mod list;
mod password_source;
mod roles;
mod set_password;
mod standing;

use std::io::Read;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Misuse;
use crate::address::parse_email;
use crate::app::App;
use crate::error::ApiError;
use crate::iso_time;
use crate::revocation::Receipt;
use crate::store::users::{self, User};

const ACTOR: &str = "command-line";

#[derive(Debug, Clone, Args)]
pub struct UserCommand {
    #[command(subcommand)]
    pub action: UserAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum UserAction {
    /// Make an account.
    #[command(after_help = "Examples:
  printf %s \"$PASSWORD\" | portcullis user create --email ada@example.org --password-stdin
  portcullis user create --email ops@example.org --role operator")]
    Create(create::CreateUser),
    /// Refuse a user from now on, and revoke every token that the user holds.
    #[command(
        after_help = "Example: portcullis user disable --email ada@example.org \
                            --reason 'left the company'"
    )]
    Disable(standing::ChangeStanding),
    /// Let a disabled user log in again; the old tokens stay revoked.
    #[command(
        after_help = "Example: portcullis user enable --email ada@example.org \
                            --reason 'came back'"
    )]
    Enable(standing::ChangeStanding),
    /// Delete an account with its sessions, and revoke every token. The audit log stays.
    #[command(after_help = "Example: portcullis user delete --id 5eQ0… --reason 'asked for it'")]
    Delete(standing::ChangeStanding),
    /// Give and take roles. Taking one cuts off the tokens that have it; the sessions go on.
    #[command(after_help = "Examples:
  portcullis user roles --email ada@example.org --add operator --reason 'on call'
  portcullis user roles --email ada@example.org --remove operator --reason 'off call' --json")]
    Roles(roles::ChangeRoles),
    /// Give a user a new password where no mail gets through; every session ends.
    #[command(after_help = "Examples:
  portcullis user set-password --email ada@example.org --reason 'lost it, seen in person'
  printf %s \"$PASSWORD\" | portcullis user set-password --id 5eQ0… --password-stdin --reason 'asked for it'")]
    SetPassword(set_password::SetPassword),
    /// List accounts, oldest first.
    #[command(after_help = "Examples:
  portcullis user list --limit 20
  portcullis user list --after 5eQ0… --json | jq -r '.[].email'
  portcullis user list --email ada@example.org")]
    List(list::ListUsers),
}

/// Which user: by one of the two names.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The user's e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// The user's id, the `sub` of the tokens.
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
}

pub async fn run(app: &App, command: UserCommand) -> anyhow::Result<()> {
    match command.action {
        UserAction::Create(create) => create::run(app, &create).await,
        UserAction::Disable(change) => standing::disable(app, &change).await,
        UserAction::Enable(change) => standing::enable(app, &change).await,
        UserAction::Delete(change) => standing::delete(app, &change).await,
        UserAction::Roles(change) => roles::run(app, &change).await,
        UserAction::SetPassword(set) => set_password::run(app, &set).await,
        UserAction::List(list) => list::run(app, &list).await,
    }
}

impl Whom {
    async fn find(&self, app: &App) -> anyhow::Result<User> {
        let found = match (&self.email, &self.id) {
            (Some(email), _) => users::find_by_email(&app.pool, &parse_email(email)?).await?,
            (None, Some(id)) => users::find(&app.pool, id).await?,
            (None, None) => None,
        };
        found
            .ok_or(ApiError::NotFound)
            .context("there is no such user")
    }
}

fn describe(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified_at.is_some(),
        "name": user.name,
        "roles": user.roles,
        "disabled_at": user.disabled_at.map(iso_time::format),
        "created_at": iso_time::format(user.created_at),
    })
}

fn print_revoked(user: &User, receipt: &Receipt, what: &str) -> anyhow::Result<()> {
    super::print_line(&format!("{what}  {} ({})", user.email, user.id))?;
    let by = iso_time::format(receipt.effective_by);
    super::print_line(&format!("every token is refused everywhere by {by}"))
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
    if line.is_empty() {
        bail!(Misuse("standard input is empty".to_owned()));
    }
    Ok(SecretString::from(line))
}
