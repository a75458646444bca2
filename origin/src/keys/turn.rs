//! How token keys come and go with the lists: a pure function of their rows and the time. A key is
//! published before it signs, for as long as anyone may decide by what was published before it; and
//! it stays published until the last token that it signed is dead.

use shared::{LEEWAY_SECS, UnixSeconds};

use crate::store::token_keys::TokenKeyRow;

/// How long whoever fetched the JWKS may keep it.
pub const JWKS_MAX_AGE_SECS: u64 = 300;
/// A replica notes this often which key it signs with.
pub const NOTE_INTERVAL_SECS: u64 = 60;
/// How far the clocks of replicas, and a note that was late, may be off together.
const SLACK_SECS: u64 = 180;

/// From when on a key may sign whose first list is made at `now`. Lists without it are used until
/// `predecessors_end_at` by edges whose clocks are off by no more than the leeway.
#[must_use]
pub fn signs_from(predecessors_end_at: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    predecessors_end_at
        .max(now.plus_secs(JWKS_MAX_AGE_SECS))
        .plus_secs(LEEWAY_SECS)
}

/// Whether the key has done its work: a newer one signs, and the last token of this one is dead.
/// Replicas that have no newer key note their use of it, and so keep it.
#[must_use]
pub fn is_over(
    key: &TokenKeyRow,
    all: &[TokenKeyRow],
    token_lifetime_secs: u64,
    now: UnixSeconds,
) -> bool {
    let superseded_at = all
        .iter()
        .filter(|other| other.may_sign(now) && other.rank() > key.rank())
        .filter_map(|newer| newer.signs_from)
        .min_by_key(|from| from.as_millis());
    let Some(superseded_at) = superseded_at else {
        return false;
    };
    let last_signed_at = key
        .last_signed_at
        .map_or(superseded_at, |at| at.max(superseded_at));
    let last_token_ends = last_signed_at
        .plus_secs(NOTE_INTERVAL_SECS + SLACK_SECS)
        .plus_secs(token_lifetime_secs + LEEWAY_SECS);
    last_token_ends < now
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::Algorithm;

    use super::*;

    const NOW: UnixSeconds = UnixSeconds::from_secs(1_000_000);
    const HOUR: u64 = 3600;

    fn key(created_secs_ago: u64, signs_secs_ago: Option<u64>) -> TokenKeyRow {
        TokenKeyRow {
            kid: format!("made {created_secs_ago} s ago"),
            algorithm: Algorithm::EdDsa,
            public_jwk: json!({}),
            created_at: NOW.minus_secs(created_secs_ago),
            version: Some(1),
            signs_from: signs_secs_ago.map(|secs| NOW.minus_secs(secs)),
            last_signed_at: None,
            revoked_at: None,
            retired_at: None,
        }
    }

    fn last_signed(secs_ago: u64, key: TokenKeyRow) -> TokenKeyRow {
        TokenKeyRow {
            last_signed_at: Some(NOW.minus_secs(secs_ago)),
            ..key
        }
    }

    #[test]
    fn a_key_signs_when_no_list_and_no_jwks_without_it_is_in_use() {
        let lists_end = NOW.plus_secs(1000);
        assert_eq!(signs_from(lists_end, NOW), lists_end.plus_secs(30));
        assert_eq!(signs_from(UnixSeconds::EPOCH, NOW), NOW.plus_secs(330));
    }

    #[test]
    fn a_key_stays_while_none_newer_signs() {
        let old = last_signed(100 * HOUR, key(200 * HOUR, Some(199 * HOUR)));
        for newer in [
            vec![],
            vec![key(HOUR, None)],
            vec![key(300 * HOUR, Some(299 * HOUR))],
            vec![TokenKeyRow {
                revoked_at: Some(NOW),
                ..key(50 * HOUR, Some(49 * HOUR))
            }],
        ] {
            let all = [vec![old.clone()], newer].concat();
            assert!(!is_over(&old, &all, HOUR, NOW), "{all:?}");
        }
    }

    #[test]
    fn a_key_stays_until_the_last_token_that_it_can_have_signed_is_dead() {
        let newer = key(10 * HOUR, Some(9 * HOUR));
        let slack = NOTE_INTERVAL_SECS + SLACK_SECS + LEEWAY_SECS;
        for (last_signed_secs_ago, over) in [
            (HOUR, false),
            (HOUR + slack, false),
            (HOUR + slack + 1, true),
        ] {
            let old = last_signed(last_signed_secs_ago, key(200 * HOUR, Some(199 * HOUR)));
            let all = [old.clone(), newer.clone()];
            assert_eq!(
                is_over(&old, &all, HOUR, NOW),
                over,
                "{last_signed_secs_ago}"
            );
        }
    }

    #[test]
    fn a_key_that_never_signed_goes_by_when_it_could_no_longer() {
        let unused = key(20 * HOUR, Some(19 * HOUR));
        let all = [unused.clone(), key(10 * HOUR, Some(9 * HOUR))];
        assert!(is_over(&unused, &all, HOUR, NOW));
        let all = [unused.clone(), key(HOUR, Some(HOUR))];
        assert!(!is_over(&unused, &all, HOUR, NOW));
    }
}
