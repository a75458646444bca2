//! `portcullis client create`: a program that may use the OAuth endpoints.

use anyhow::ensure;
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};

use super::user::read_secret_line;
use crate::app::App;
use crate::extract::{is_client_id, secret_hash};
use crate::random;
use crate::sessions::FIRST_PARTY;
use crate::store::clients::{self, Client, Inserted};

/// A secret is hashed quickly, so it must not be one that can be guessed.
const MIN_SECRET_BYTES: usize = 16;

#[derive(Debug, Clone, Args)]
pub struct ClientCommand {
    #[command(subcommand)]
    pub action: ClientAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ClientAction {
    /// Register a client and print its id and secret, once.
    #[command(after_help = "Example: portcullis client create --id reports \
                            --grant password,refresh_token --introspect-all")]
    Create(CreateClient),
}

#[derive(Debug, Clone, Args)]
pub struct CreateClient {
    /// 1 to 64 letters, digits, `-`, `_` and `.`.
    #[arg(long)]
    id: String,
    /// Read the secret from standard input (16 bytes at least); otherwise one is made.
    #[arg(long)]
    secret_stdin: bool,
    /// Grant types that the client may use.
    #[arg(long = "grant", value_delimiter = ',', value_parser = ["password", "refresh_token"])]
    grants: Vec<String>,
    /// Scopes that the client may ask for.
    #[arg(long = "scope", value_delimiter = ',', default_value = "profile,operator",
          value_parser = ["profile", "operator"])]
    scopes: Vec<String>,
    /// Let it introspect every token of this issuer, not only those given to it.
    #[arg(long)]
    introspect_all: bool,
}

/// Prints `{client_id, client_secret}` on standard output.
pub async fn run(app: &App, command: ClientCommand) -> anyhow::Result<()> {
    match command.action {
        ClientAction::Create(create) => create_client(app, create).await,
    }
}

async fn create_client(app: &App, create: CreateClient) -> anyhow::Result<()> {
    ensure!(
        is_client_id(&create.id),
        "--id: 1 to 64 letters, digits, '-', '_' and '.'"
    );
    ensure!(
        create.id != FIRST_PARTY,
        "--id: {FIRST_PARTY:?} is taken by the origin itself"
    );
    let secret = if create.secret_stdin {
        read_secret_line()?
    } else {
        SecretString::from(random::new_secret()?)
    };
    let long_enough = secret.expose_secret().len() >= MIN_SECRET_BYTES;
    ensure!(
        long_enough,
        "the secret is shorter than {MIN_SECRET_BYTES} bytes"
    );
    let client = Client {
        id: create.id,
        secret_hash: secret_hash(secret.expose_secret()),
        grants: create.grants,
        scopes: create.scopes,
        may_introspect_all: create.introspect_all,
    };
    let inserted = clients::insert(&app.pool, &client, app.clock.now()).await?;
    ensure!(
        inserted == Inserted::Yes,
        "a client with the id {:?} exists",
        client.id
    );
    let shown = serde_json::json!({
        "client_id": client.id,
        "client_secret": secret.expose_secret(),
    });
    super::print_line(&shown.to_string())
}
