//! `portcullis client`: the programs that may use the OAuth endpoints. A secret is shown once, when
//! it is made.

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::user::read_secret_line;
use crate::app::App;
use crate::clients::{self, NewClient};
use crate::grant_type::GrantType;
use crate::iso_time;
use crate::random;
use crate::store::clients::ClientRow;

#[derive(Debug, Clone, Args)]
pub struct ClientCommand {
    #[command(subcommand)]
    pub action: ClientAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ClientAction {
    /// Register a client; print its id and secret, once.
    #[command(after_help = "Examples:
  portcullis client create --id app --grant password,refresh_token
  portcullis client create --id reports --grant client_credentials --scope reports:read
  portcullis client create --id gateway --introspect-all")]
    Create(CreateClient),
    /// List the clients; never their secrets.
    #[command(after_help = "Example: portcullis client list --json | jq -r '.[].id'")]
    List(ListClients),
    /// Refuse a client from now on, and revoke every token that it was given.
    #[command(
        after_help = "Example: portcullis client disable reports --reason 'secret leaked'

Run it again if it was interrupted: it goes on where it was."
    )]
    Disable(DisableClient),
    /// Give a client a new secret; the old one works no more. Its tokens live on.
    #[command(after_help = "Example: portcullis client rotate-secret reports --reason 'yearly'")]
    RotateSecret(RotateSecret),
}

#[derive(Debug, Clone, Args)]
pub struct CreateClient {
    /// 1 to 64 letters, digits, `-`, `_` and `.`.
    #[arg(long, allow_hyphen_values = true)]
    id: String,
    #[command(flatten)]
    secret: SecretSource,
    /// Grant types that the client may use.
    #[arg(long = "grant", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str)))]
    grants: Vec<String>,
    /// Scopes that the client may ask for; for itself it gets no others.
    #[arg(long = "scope", value_delimiter = ',', default_value = "profile")]
    scopes: Vec<String>,
    /// Let it introspect every token of this issuer, not only those given to it.
    #[arg(long)]
    introspect_all: bool,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON, as it does anyway.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Args)]
struct SecretSource {
    /// Read the secret from standard input (16 bytes at least); otherwise one is made. Best of
    /// letters, digits, '-' and '_': clients do not agree on how others are sent.
    #[arg(long)]
    secret_stdin: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ListClients {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DisableClient {
    /// The client's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Why: kept with the revocations and in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Args)]
pub struct RotateSecret {
    /// The client's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
    #[command(flatten)]
    secret: SecretSource,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON, as it does anyway.
    #[arg(long)]
    json: bool,
}

pub async fn run(app: &App, command: ClientCommand) -> anyhow::Result<()> {
    match command.action {
        ClientAction::Create(create) => create_client(app, create).await,
        ClientAction::List(list) => list_clients(app, &list).await,
        ClientAction::Disable(disable) => disable_client(app, &disable).await,
        ClientAction::RotateSecret(rotate) => rotate_secret(app, &rotate).await,
    }
}

async fn create_client(app: &App, create: CreateClient) -> anyhow::Result<()> {
    let secret = create.secret.read()?;
    let new = NewClient {
        id: create.id,
        secret: &secret,
        grants: create
            .grants
            .iter()
            .filter_map(|name| GrantType::parse(name))
            .collect(),
        scopes: create.scopes,
        may_introspect_all: create.introspect_all,
        reason: create.reason.as_deref(),
    };
    let client = clients::create(app, new).await?;
    print_secret(&client.id, &secret)
}

async fn rotate_secret(app: &App, rotate: &RotateSecret) -> anyhow::Result<()> {
    let secret = rotate.secret.read()?;
    clients::replace_secret(app, &rotate.id, &secret, rotate.reason.as_deref()).await?;
    print_secret(&rotate.id, &secret)
}

fn print_secret(id: &str, secret: &SecretString) -> anyhow::Result<()> {
    let shown = json!({ "client_id": id, "client_secret": secret.expose_secret() });
    super::print_line(&shown.to_string()).with_context(|| {
        format!(
            "the secret could not be printed, and nobody can see it again; for another one: \
             portcullis client rotate-secret {id}"
        )
    })
}

async fn disable_client(app: &App, disable: &DisableClient) -> anyhow::Result<()> {
    let disabled = clients::disable(app, &disable.id, &disable.reason).await?;
    let effective_by = iso_time::format(disabled.effective_by);
    if disable.json {
        let shown = json!({
            "client_id": disable.id,
            "sessions_closed": disabled.sessions_closed,
            "effective_by": effective_by,
        });
        return super::print_line(&shown.to_string());
    }
    super::print_line(&format!("disabled   {}", disable.id))?;
    super::print_line(&format!("sessions   {} closed", disabled.sessions_closed))?;
    super::print_line(&format!("effective  by {effective_by}"))
}

async fn list_clients(app: &App, list: &ListClients) -> anyhow::Result<()> {
    let rows = crate::store::clients::find_all(&app.pool).await?;
    if list.json {
        let shown: Vec<_> = rows.iter().map(describe).collect();
        return super::print_line(&serde_json::to_string(&shown)?);
    }
    for row in &rows {
        let grants: Vec<_> = row
            .client
            .grants
            .iter()
            .map(|grant| grant.as_str())
            .collect();
        let state = row.disabled_at.map_or("enabled", |_| "disabled");
        let (id, scopes) = (&row.client.id, row.client.scopes.join(","));
        super::print_line(&format!(
            "{id:<24} {state:<9} {} [{scopes}]",
            grants.join(",")
        ))?;
    }
    Ok(())
}

fn describe(row: &ClientRow) -> serde_json::Value {
    let grants: Vec<_> = row
        .client
        .grants
        .iter()
        .map(|grant| grant.as_str())
        .collect();
    json!({
        "id": row.client.id,
        "grants": grants,
        "scopes": row.client.scopes,
        "introspect_all": row.client.may_introspect_all,
        "created_at": iso_time::format(row.created_at),
        "disabled_at": row.disabled_at.map(iso_time::format),
        "last_token_at": row.last_token_at.map(iso_time::format),
    })
}

impl SecretSource {
    fn read(&self) -> anyhow::Result<SecretString> {
        if self.secret_stdin {
            read_secret_line()
        } else {
            Ok(SecretString::from(random::new_secret()?))
        }
    }
}
