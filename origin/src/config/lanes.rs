//! The settings of the two lanes on which the list gets to edges: hanging pulls, and KV.

use clap::Args;
use secrecy::SecretString;
use url::Url;

use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The lanes to the edges")]
pub struct LaneSettings {
    /// Bearer secret of the edges; without it `/revocations/head` and segments answer 503.
    #[arg(
        long,
        env = "PORTCULLIS_EDGE_SECRET",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    edge_secret: Option<SecretString>,
    /// Most hanging pulls held at once.
    #[arg(long, env = "PORTCULLIS_MAX_WAITERS", default_value = "20000")]
    max_waiters: String,
    /// Base of Cloudflare's KV API, e.g. `https://api.cloudflare.com/client/v4/accounts/<account>`.
    #[arg(long, env = "PORTCULLIS_KV_API_URL")]
    kv_api_url: Option<String>,
    /// The KV namespace that the list is published to.
    #[arg(long, env = "PORTCULLIS_KV_NAMESPACE_ID")]
    kv_namespace_id: Option<String>,
    /// API token for the KV API.
    #[arg(
        long,
        env = "PORTCULLIS_KV_API_TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    kv_api_token: Option<SecretString>,
}

#[derive(Debug, Clone)]
pub struct LaneConfig {
    pub edge_secret: Option<SecretString>,
    pub max_waiters: usize,
    pub kv: Option<KvConfig>,
}

/// Where the durable lane is written to.
#[derive(Debug, Clone)]
pub struct KvConfig {
    pub api_url: Url,
    pub namespace_id: String,
    pub api_token: Option<SecretString>,
}

impl LaneSettings {
    pub(super) fn validate(self, check: &mut Check) -> LaneConfig {
        LaneConfig {
            edge_secret: check.secret("PORTCULLIS_EDGE_SECRET", self.edge_secret),
            max_waiters: check.number("PORTCULLIS_MAX_WAITERS", &self.max_waiters, 0..=1_000_000),
            kv: check.kv(self.kv_api_url, self.kv_namespace_id, self.kv_api_token),
        }
    }
}

impl Check {
    fn kv(
        &mut self,
        api_url: Option<String>,
        namespace_id: Option<String>,
        api_token: Option<SecretString>,
    ) -> Option<KvConfig> {
        match (api_url, namespace_id) {
            (None, None) => {
                if api_token.is_some() {
                    self.refuse(
                        "PORTCULLIS_KV_API_TOKEN",
                        "is set without PORTCULLIS_KV_API_URL",
                    );
                }
                None
            }
            (Some(_), None) => {
                self.refuse(
                    "PORTCULLIS_KV_NAMESPACE_ID",
                    "is missing: PORTCULLIS_KV_API_URL is set",
                );
                None
            }
            (None, Some(_)) => {
                self.refuse(
                    "PORTCULLIS_KV_API_URL",
                    "is missing: PORTCULLIS_KV_NAMESPACE_ID is set",
                );
                None
            }
            (Some(url), Some(namespace_id)) => {
                let api_url = self.parse("PORTCULLIS_KV_API_URL", &url, "a URL")?;
                Some(KvConfig {
                    api_url,
                    namespace_id,
                    api_token,
                })
            }
        }
    }
}
