//! How long a revocation is kept: the one rule for Postgres, Redis, KV and the edge.

use crate::time::UnixSeconds;

/// How far clocks may differ, in seconds, when a token's dates are looked at.
pub const LEEWAY_SECS: u64 = 30;

/// When an entry may be forgotten: when no token that it could name is accepted anywhere.
///
/// `latest_exp` is the latest `exp` of any token that it concerns. A token is accepted until
/// `exp + LEEWAY_SECS`, so an entry that went earlier would bring it back to life.
#[must_use]
pub fn retain_until(latest_exp: UnixSeconds) -> UnixSeconds {
    latest_exp.plus_secs(LEEWAY_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_outlives_every_clock_that_still_accepts_its_token() {
        let exp = UnixSeconds::from_secs(1_000);
        assert!(retain_until(exp) >= exp.plus_secs(LEEWAY_SECS));
    }
}
