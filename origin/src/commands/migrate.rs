//! `portcullis migrate`: the schema alone, for deployments that do it before the new code starts.

use clap::Args;
use serde_json::json;

use crate::config::Config;
use crate::store::{self, Schema};

#[derive(Debug, Args)]
pub(super) struct MigrateCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn migrate(config: &Config, command: &MigrateCommand) -> anyhow::Result<()> {
    let pool = store::open(&config.stores.database_url).await?;
    let before = match store::find_schema(&pool).await {
        Schema::Missing => None,
        Schema::Current => Some(store::schema_version()),
        Schema::Older { version } | Schema::Newer { version } => Some(version),
    };
    store::migrate(&pool).await?;
    let version = store::schema_version();
    if command.json {
        let shown = json!({ "version": version, "version_before": before });
        return super::print_line(&shown.to_string());
    }
    super::print_line(&format!("the schema is up to date: version {version}"))
}
