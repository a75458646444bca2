//! `portcullis revoke`: an operator's revocation without the HTTP API. It is in the database when
//! this returns; a running origin finds it there and publishes it.

use clap::Args;

use crate::app::App;
use crate::error::ApiError;
use crate::iso_time;
use crate::revocation::{self, Request};

const ACTOR: &str = "command-line";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  portcullis revoke --scope session --name Yx3… --reason 'device lost'
  portcullis revoke --scope user --name 5eQ… --reason 'account taken over'
  portcullis revoke --scope issuer --before 2026-11-24T10:00:00Z --reason 'key leaked'")]
pub(super) struct RevokeCommand {
    /// What the name names.
    #[arg(long, value_parser = ["token", "session", "user", "issuer"])]
    scope: String,
    /// `jti`, `sid` or `sub`; for the issuer scope the issuer, which may be left out.
    #[arg(long, allow_hyphen_values = true)]
    name: Option<String>,
    /// Revoke only what was issued before this RFC 3339 time in UTC (scopes user and issuer).
    #[arg(long)]
    before: Option<String>,
    /// Why: kept with the revocation and in the audit log.
    #[arg(long)]
    reason: String,
    /// Print the receipt as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn revoke(app: &App, command: &RevokeCommand) -> anyhow::Result<()> {
    let before = match &command.before {
        Some(text) => Some(iso_time::parse(text).ok_or(ApiError::InvalidBefore)?),
        None => None,
    };
    let request = Request {
        scope: &command.scope,
        issuer: None,
        name: command.name.as_deref(),
        before,
        reason: &command.reason,
        actor: ACTOR,
        address: None,
    };
    let receipt = revocation::revoke_by_name(app, &request).await?;
    if command.json {
        return super::print_line(&serde_json::to_string(&receipt)?);
    }
    super::print_line(&format!("recorded   {} ({})", receipt.id, command.scope))?;
    super::print_line(&format!(
        "effective  by {}",
        iso_time::format(receipt.effective_by)
    ))
}
