//! `portcullis user roles`.

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{ACTOR, Whom};
use crate::accounts::{self, Deed, RolesChange};
use crate::app::App;
use crate::commands::{Misuse, print_line};
use crate::iso_time;

#[derive(Debug, Clone, Args)]
pub struct ChangeRoles {
    #[command(flatten)]
    whom: Whom,
    /// A role to give; may be given more than once.
    #[arg(long)]
    add: Vec<String>,
    /// A role to take.
    #[arg(long)]
    remove: Vec<String>,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, change: &ChangeRoles) -> anyhow::Result<()> {
    if change.add.is_empty() && change.remove.is_empty() {
        bail!(Misuse("nothing to do: give --add or --remove".to_owned()));
    }
    let user = change.whom.find(app).await?;
    let deed = Deed {
        actor: ACTOR,
        reason: &change.reason,
        address: None,
    };
    let roles = RolesChange {
        add: &change.add,
        remove: &change.remove,
    };
    let changed = accounts::change_roles(app, &user.id, roles, &deed).await?;
    if change.json {
        let shown = json!({
            "id": changed.user.id,
            "roles": changed.user.roles,
            "revocation": changed.revocation,
        });
        return print_line(&shown.to_string());
    }
    let roles = changed.user.roles.join(" ");
    print_line(&format!("{} ({}) has: {roles}", user.email, user.id))?;
    match changed.revocation {
        Some(receipt) => {
            let by = iso_time::format(receipt.effective_by);
            print_line(&format!(
                "tokens with other roles are refused everywhere by {by}"
            ))
        }
        None => print_line("the next token has them"),
    }
}
