//! `portcullis user set-password`. The password comes from standard input or is made here and shown
//! once; as an argument everybody on the machine could read it.

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;
use serde_json::json;

use super::{ACTOR, Whom, print_revoked, read_secret_line};
use crate::accounts::{self, Deed};
use crate::app::App;
use crate::commands::print_line;
use crate::random;

#[derive(Debug, Clone, Args)]
pub struct SetPassword {
    #[command(flatten)]
    whom: Whom,
    /// Read the password from standard input; otherwise one is made and printed once.
    #[arg(long)]
    password_stdin: bool,
    /// Why: kept in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, set: &SetPassword) -> anyhow::Result<()> {
    let user = set.whom.find(app).await?;
    let made = if set.password_stdin {
        None
    } else {
        Some(random::new_secret()?)
    };
    let password = match &made {
        Some(password) => SecretString::from(password.as_str()),
        None => read_secret_line()?,
    };
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
