//! `portcullis user disable`, `enable` and `delete`.

use clap::Args;
use serde_json::json;

use super::{ACTOR, Whom, print_revoked};
use crate::accounts::{self, Deed};
use crate::app::App;
use crate::commands::print_line;

#[derive(Debug, Clone, Args)]
pub struct ChangeStanding {
    #[command(flatten)]
    whom: Whom,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl ChangeStanding {
    fn deed(&self) -> Deed<'_> {
        Deed {
            actor: ACTOR,
            reason: &self.reason,
            address: None,
        }
    }
}

pub(super) async fn disable(app: &App, change: &ChangeStanding) -> anyhow::Result<()> {
    let user = change.whom.find(app).await?;
    let receipt = accounts::disable(app, &user.id, &change.deed()).await?;
    if change.json {
        return print_line(&json!({ "id": user.id, "revocation": receipt }).to_string());
    }
    print_revoked(&user, &receipt, "disabled")
}

pub(super) async fn enable(app: &App, change: &ChangeStanding) -> anyhow::Result<()> {
    let user = change.whom.find(app).await?;
    accounts::enable(app, &user.id, &change.deed()).await?;
    if change.json {
        return print_line(&json!({ "id": user.id }).to_string());
    }
    print_line(&format!("enabled  {} ({})", user.email, user.id))
}

pub(super) async fn delete(app: &App, change: &ChangeStanding) -> anyhow::Result<()> {
    let user = change.whom.find(app).await?;
    let receipt = accounts::delete(app, &user.id, &change.deed()).await?;
    if change.json {
        return print_line(&json!({ "id": user.id, "revocation": receipt }).to_string());
    }
    print_revoked(&user, &receipt, "deleted")
}
