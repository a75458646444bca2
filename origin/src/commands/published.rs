//! What the running origin says in its newest list, for a command that writes what edges will
//! compare with it. A revocation under another issuer's name, or kept for a shorter token's life,
//! would revoke nothing.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::{Head, Issuer};

use crate::config::{Config, ConfigError};
use crate::store::{self, list};

/// The configuration with the published issuer and lifetimes; as it was before the first list.
pub(super) async fn adopt(config: Config) -> anyhow::Result<Config> {
    let pool = store::open(&config.stores.database_url).await?;
    store::migrate(&pool).await?;
    let newest = list::find_newest_text(&pool).await?;
    pool.close().await;
    match newest {
        None => Ok(config),
        Some(text) => {
            let head = parse(&text).context("the newest list in the database cannot be read")?;
            adopt_head(config, head)
        }
    }
}

/// Not verified: it comes from our own database, and the list key may be elsewhere.
fn parse(text: &str) -> anyhow::Result<Head> {
    let payload = text.split('.').nth(1).context("it is no JWS")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}

fn adopt_head(mut config: Config, head: Head) -> anyhow::Result<Config> {
    let list_lifetime_millis = head.exp.as_millis().saturating_sub(head.iat.as_millis());
    let Issuer {
        iss, max_lifetime, ..
    } = head
        .issuers
        .into_iter()
        .find(|issuer| issuer.iss == head.iss)
        .context("the newest list does not name its own issuer")?;
    if config.tokens.issuer_is_given && config.tokens.issuer != iss {
        return Err(ConfigError {
            variable: "PORTCULLIS_ISSUER",
            problem: format!(
                "is {}, but the list is published for {iss}; leave it out",
                config.tokens.issuer
            ),
        }
        .into());
    }
    config.tokens.issuer = iss;
    config.tokens.access_token_secs = max_lifetime;
    config.list.lifetime_secs = list_lifetime_millis.div_ceil(1000);
    config.list.grace_secs = head.grace;
    Ok(config)
}
