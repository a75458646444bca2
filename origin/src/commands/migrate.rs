//! `portcullis migrate`: the schema alone, for deployments that do it before the new code starts.

use crate::config::Config;
use crate::store;

pub(super) async fn migrate(config: &Config) -> anyhow::Result<()> {
    let pool = store::open(&config.stores.database_url).await?;
    store::migrate(&pool).await?;
    super::print_line("the schema is up to date")
}
