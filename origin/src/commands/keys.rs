//! `portcullis keys show`: the public keys, for whoever verifies tokens or lists.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::config::Config;
use crate::keys;

#[derive(Debug, Args)]
pub(super) struct KeysCommand {
    #[command(subcommand)]
    pub(super) action: KeysAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysAction {
    /// Print the public keys as JSON, and make the keys if there are none yet.
    #[command(after_help = "Prints {\"token_keys\": JWKS, \"list_keys\": JWKS}.\n\
                            Example: portcullis keys show | jq -c .list_keys")]
    Show,
}

pub(super) fn show(config: &Config) -> anyhow::Result<()> {
    let keys = keys::load_or_create(config)?;
    let shown = json!({
        "token_keys": { "keys": [keys.token.public_jwk()] },
        "list_keys": { "keys": [keys.list.public_jwk()] },
    });
    super::print_line(&shown.to_string())
}
