//! `portcullis user list`.

use clap::Args;
use serde_json::Value;

use crate::address::parse_email;
use crate::app::App;
use crate::commands::print_line;
use crate::store::users::{self, User};

#[derive(Debug, Clone, Args)]
pub struct ListUsers {
    /// Only the user with this e-mail address.
    #[arg(long, conflicts_with = "after")]
    email: Option<String>,
    /// The id of the last user of the page before.
    #[arg(long, allow_hyphen_values = true)]
    after: Option<String>,
    /// Most users to list.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, list: &ListUsers) -> anyhow::Result<()> {
    let users = match &list.email {
        Some(email) => users::find_by_email(&app.pool, &parse_email(email)?)
            .await?
            .into_iter()
            .collect(),
        None => users::find_page(&app.pool, list.after.as_deref(), list.limit).await?,
    };
    if list.json {
        let shown: Vec<Value> = users.iter().map(super::describe).collect();
        return print_line(&Value::from(shown).to_string());
    }
    users.iter().try_for_each(|user| print_line(&line(user)))
}

fn line(user: &User) -> String {
    let standing = if user.disabled_at.is_some() {
        "disabled"
    } else {
        "enabled "
    };
    let roles = user.roles.join(",");
    format!("{}  {standing}  {}  {roles}", user.id, user.email)
        .trim_end()
        .to_owned()
}
