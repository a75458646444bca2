//! `portcullis keys`: the public keys for whoever verifies tokens or lists, and the life of the token
//! keys. A running origin sees within a second what is done here.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::UnixSeconds;

use crate::app::App;
use crate::iso_time;
use crate::keys::rotation::{self, Cause, Successor};
use crate::revocation;
use crate::store::token_keys::{self, TokenKeyRow};

const ACTOR: &str = "command-line";

#[derive(Debug, Args)]
pub(super) struct KeysCommand {
    #[command(subcommand)]
    action: KeysAction,
}

#[derive(Debug, Subcommand)]
enum KeysAction {
    /// Print the public keys as JSON, and make the keys if there are none yet.
    #[command(after_help = "\
Prints {\"token_keys\": JWKS, \"list_keys\": JWKS, \"rotation\": [{kid, alg, state, …}]}.
Example: portcullis keys show | jq -c .list_keys")]
    Show(ShowKeys),
    /// Publish a new token key; it signs once every edge has it.
    #[command(after_help = "\
The old key is published until the last token that it signed is dead. With another
PORTCULLIS_SIGNING_ALG than that of the old key the algorithm changes.
Where PORTCULLIS_SIGNING_KEY is set, append the new key to it on every replica instead.
Example: portcullis keys rotate && portcullis keys show | jq .rotation")]
    Rotate(RotateKeys),
    /// Take a token key out of the lists at once: every token that it signed dies.
    #[command(after_help = "\
For a key that leaked. Sessions go on: refreshing gets a token that another key signs. If no other
key may sign yet, one does from now on, and an edge refuses its tokens until it has the next list.
Example: portcullis keys revoke kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --reason 'was in a backup'")]
    Revoke(RevokeKey),
}

#[derive(Debug, Args)]
struct ShowKeys {
    /// Print JSON, as it does anyway.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RotateKeys {
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RevokeKey {
    /// The key's name, as `keys show` has it.
    #[arg(allow_hyphen_values = true)]
    kid: String,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, command: &KeysCommand) -> anyhow::Result<()> {
    match &command.action {
        KeysAction::Show(_) => show(app).await,
        KeysAction::Rotate(rotate) => rotate_keys(app, rotate).await,
        KeysAction::Revoke(revoke) => revoke_key(app, revoke).await,
    }
}

async fn show(app: &App) -> anyhow::Result<()> {
    let rows = token_keys::find_all(&app.pool).await?;
    let published: Vec<Value> = rows
        .iter()
        .filter(|row| row.is_live())
        .map(|row| row.public_jwk.clone())
        .collect();
    // Before the first start: what that start will publish.
    let token_keys = if published.is_empty() {
        app.keys
            .token
            .all()
            .iter()
            .map(|key| key.public_jwk())
            .collect()
    } else {
        published
    };
    let now = app.clock.now();
    let shown = json!({
        "token_keys": { "keys": token_keys },
        "list_keys": { "keys": [app.keys.list.public_jwk()] },
        "rotation": rows.iter().map(|row| describe(row, now)).collect::<Vec<_>>(),
    });
    super::print_line(&shown.to_string())
}

fn describe(row: &TokenKeyRow, now: UnixSeconds) -> Value {
    json!({
        "kid": row.kid,
        "alg": row.algorithm.name(),
        "state": state(row, now),
        "created_at": iso_time::format(row.created_at),
        "signs_from": row.signs_from.map(iso_time::format),
        "last_signed_at": row.last_signed_at.map(iso_time::format),
        "revoked_at": row.revoked_at.map(iso_time::format),
        "retired_at": row.retired_at.map(iso_time::format),
    })
}

fn state(row: &TokenKeyRow, now: UnixSeconds) -> &'static str {
    match row.signs_from {
        _ if row.revoked_at.is_some() => "revoked",
        _ if row.retired_at.is_some() => "retired",
        _ if row.may_sign(now) => "may_sign",
        Some(_) => "published",
        None => "to_be_published",
    }
}

fn cause(reason: Option<&str>) -> Cause<'_> {
    Cause {
        actor: ACTOR,
        reason,
    }
}

async fn rotate_keys(app: &App, rotate: &RotateKeys) -> anyhow::Result<()> {
    let kid = rotation::rotate(app, cause(rotate.reason.as_deref())).await?;
    if rotate.json {
        return super::print_line(&json!({ "kid": kid }).to_string());
    }
    super::print_line(&format!("made       {kid}"))?;
    super::print_line("signs      once every edge has it: see `portcullis keys show`")
}

async fn revoke_key(app: &App, revoke: &RevokeKey) -> anyhow::Result<()> {
    let cause = cause(revoke.reason.as_deref());
    let successor = rotation::revoke(app, &revoke.kid, cause).await?;
    let effective_by = iso_time::format(revocation::bound_of_now(app).await?);
    let made = match &successor {
        Successor::Known => None,
        Successor::Made { kid } => Some(kid),
    };
    if revoke.json {
        let shown = json!({ "kid": revoke.kid, "effective_by": effective_by, "made": made });
        return super::print_line(&shown.to_string());
    }
    super::print_line(&format!("revoked    {}", revoke.kid))?;
    if let Some(kid) = made {
        super::print_line(&format!("made       {kid}: it signs from now on"))?;
    }
    super::print_line(&format!(
        "effective  by {effective_by}: no token that it signed passes an edge after that"
    ))
}
