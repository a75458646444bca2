//! The settings of the list's life: what the bound on every revocation is made of.

use clap::Args;

use super::check::Check;

#[expect(clippy::struct_field_names, reason = "a unit belongs in a name")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The list")]
pub struct ListSettings {
    /// Seconds between two list heads when nothing was revoked.
    #[arg(long, env = "PORTCULLIS_HEARTBEAT_SECS", default_value = "15")]
    heartbeat_secs: String,
    /// Seconds from a list head's `iat` to its `exp`.
    #[arg(long, env = "PORTCULLIS_LIST_LIFETIME_SECS", default_value = "180")]
    list_lifetime_secs: String,
    /// Seconds past a list's `exp` that a route may be allowed to go on.
    #[arg(long, env = "PORTCULLIS_LIST_GRACE_SECS", default_value = "0")]
    list_grace_secs: String,
}

#[derive(Debug, Clone)]
pub struct ListConfig {
    pub heartbeat_secs: u64,
    pub lifetime_secs: u64,
    pub grace_secs: u64,
}

impl ListSettings {
    pub(super) fn validate(self, check: &mut Check) -> ListConfig {
        let config = ListConfig {
            heartbeat_secs: check.number(
                "PORTCULLIS_HEARTBEAT_SECS",
                &self.heartbeat_secs,
                1..=86_400,
            ),
            lifetime_secs: check.number(
                "PORTCULLIS_LIST_LIFETIME_SECS",
                &self.list_lifetime_secs,
                2..=86_400,
            ),
            grace_secs: check.number(
                "PORTCULLIS_LIST_GRACE_SECS",
                &self.list_grace_secs,
                0..=86_400,
            ),
        };
        check.heartbeat_fits_lifetime(&config);
        config
    }
}

impl Check {
    /// A list that dies before the next one is made would close every edge between the two.
    fn heartbeat_fits_lifetime(&mut self, config: &ListConfig) {
        if config.heartbeat_secs >= config.lifetime_secs {
            self.refuse(
                "PORTCULLIS_HEARTBEAT_SECS",
                "is not shorter than PORTCULLIS_LIST_LIFETIME_SECS: lists would end before their successors",
            );
        }
    }
}
