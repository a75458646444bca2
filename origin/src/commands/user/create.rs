//! `portcullis user create`. A password that is made here is shown once.

use anyhow::Context;
use clap::Args;

use super::password_source::{NewPassword, PasswordSource};
use crate::accounts::{self, Registration};
use crate::app::App;

#[derive(Debug, Clone, Args)]
pub struct CreateUser {
    /// The e-mail address to log in with.
    #[arg(long)]
    email: String,
    /// What the user is called.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    source: PasswordSource,
    /// A role of the account; may be given more than once. `operator` may revoke anything.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Print JSON, as it does anyway.
    #[arg(long)]
    json: bool,
}

/// Prints the account as JSON on standard output.
pub(super) async fn run(app: &App, create: &CreateUser) -> anyhow::Result<()> {
    let NewPassword { password, made } = create.source.read()?;
    let registration = Registration {
        email: &create.email,
        password: &password,
        name: create.name.as_deref(),
        roles: &create.roles,
        actor: Some(super::ACTOR),
        address: None,
    };
    let user = accounts::register(app, &registration).await?;
    let mut shown = super::describe(&user);
    if let Some(password) = made {
        shown["password"] = password.into();
    }
    crate::commands::print_line(&shown.to_string()).with_context(|| {
        format!(
            "the account {} is made but could not be printed; if its password is not known, \
             `POST /password/forgot` mails the way to another",
            user.email
        )
    })
}
