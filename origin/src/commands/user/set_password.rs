//! `portcullis user set-password`, for who lost theirs where no mail gets through.

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::password_source::{NewPassword, PasswordSource};
use super::{ACTOR, Whom, print_revoked};
use crate::accounts::{self, Deed};
use crate::app::App;
use crate::commands::print_line;

#[derive(Debug, Clone, Args)]
pub struct SetPassword {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    source: PasswordSource,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, set: &SetPassword) -> anyhow::Result<()> {
    let user = set.whom.find(app).await?;
    let NewPassword { password, made } = set.source.read()?;
    let deed = Deed {
        actor: ACTOR,
        reason: &set.reason,
        address: None,
    };
    let receipt = accounts::set_password(app, &user, &password, &deed).await?;
    let printed = if set.json {
        let mut shown = json!({ "id": user.id, "revocation": receipt });
        if let Some(password) = made {
            shown["password"] = password.into();
        }
        print_line(&shown.to_string())
    } else {
        print_revoked(&user, &receipt, "has a new password").and_then(|()| {
            made.map_or(Ok(()), |password| {
                print_line(&format!("password  {password}"))
            })
        })
    };
    printed.context("the password is set but could not be printed; set another")
}
