//! The settings of limits: only what depends on who sits behind one address. The others are in
//! `limits`.

use clap::Args;

use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitSettings {
    /// Registrations an hour that one address may ask for, whatever comes of them. More for a school,
    /// or for a program of yours that registers users from an address of its own.
    #[arg(long, env = "PORTCULLIS_REGISTRATIONS_PER_HOUR", default_value = "300")]
    registrations_per_hour: String,
}

#[derive(Debug, Clone)]
pub struct LimitConfig {
    /// From one address.
    pub registrations_per_hour: u64,
}

impl LimitSettings {
    pub(super) fn validate(self, check: &mut Check) -> LimitConfig {
        LimitConfig {
            registrations_per_hour: check.number(
                "PORTCULLIS_REGISTRATIONS_PER_HOUR",
                &self.registrations_per_hour,
                1..=1_000_000,
            ),
        }
    }
}
