//! What is to be done with a presented refresh token: the state machine, whole. It reads no store and
//! no clock.

use shared::UnixSeconds;

use crate::store::refresh_tokens::Presented;
use crate::store::sessions::Session;

/// A duplicate within this time gets the same successor, even if that was used meanwhile.
const DUPLICATE_SECS: f64 = 10.0;

/// What is to be done with a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Rotate,
    Replay,
    /// Until a cut-off that a new token would fall before.
    Wait(UnixSeconds),
    Expired,
    SessionClosed,
    Reuse,
}

/// The facts of a presented token on which the decision rests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    session_open: bool,
    expires_at: UnixSeconds,
    used_at: Option<UnixSeconds>,
    successor_used: bool,
    /// The latest cut-off of the user or the issuer.
    cut_off: Option<UnixSeconds>,
}

pub(super) fn decide(facts: Facts, now: UnixSeconds) -> Decision {
    if !facts.session_open {
        return Decision::SessionClosed;
    }
    if now >= facts.expires_at {
        return Decision::Expired;
    }
    let decision = match facts.used_at {
        None => Decision::Rotate,
        Some(used_at) if now.secs_since(used_at) <= DUPLICATE_SECS => Decision::Replay,
        Some(_) if !facts.successor_used => Decision::Replay,
        Some(_) => Decision::Reuse,
    };
    match facts.cut_off {
        // A token is dated in whole seconds.
        Some(cut_off) if decision != Decision::Reuse && cut_off.as_secs() > now.as_secs() => {
            Decision::Wait(cut_off)
        }
        _ => decision,
    }
}

pub(super) fn facts(session: &Session, presented: &Presented) -> Facts {
    Facts {
        session_open: session.revoked_at.is_none() && presented.user.disabled_at.is_none(),
        expires_at: presented.expires_at,
        used_at: presented.used_at,
        successor_used: presented.successor_used_at.is_some(),
        cut_off: presented.cut_off_secs.map(UnixSeconds::from_secs),
    }
}

impl Decision {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Replay => "replay",
            Self::Wait(_) => "wait",
            Self::Expired => "expired",
            Self::SessionClosed => "session_closed",
            Self::Reuse => "reuse",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds::from_secs(1_000_000);

    fn facts(used_secs_ago: Option<u64>, successor_used: bool) -> Facts {
        Facts {
            session_open: true,
            expires_at: NOW.plus_secs(60),
            used_at: used_secs_ago.map(|secs| NOW.minus_secs(secs)),
            successor_used,
            cut_off: None,
        }
    }

    #[test]
    fn decides_by_use_age_and_successor() {
        for (facts, expected) in [
            (facts(None, false), Decision::Rotate),
            (facts(Some(0), false), Decision::Replay),
            (facts(Some(10), true), Decision::Replay),
            (facts(Some(11), true), Decision::Reuse),
            (facts(Some(11), false), Decision::Replay),
            (facts(Some(86_400), false), Decision::Replay),
        ] {
            assert_eq!(decide(facts, NOW), expected, "{facts:?}");
        }
    }

    #[test]
    fn a_closed_session_comes_before_everything_else() {
        let closed = Facts {
            session_open: false,
            ..facts(Some(11), true)
        };
        assert_eq!(decide(closed, NOW), Decision::SessionClosed);
    }

    #[test]
    fn waits_for_a_cut_off_ahead_unless_it_is_reuse() {
        let ahead = Some(NOW.plus_secs(1));
        for (facts, expected) in [
            (facts(None, false), Decision::Wait(NOW.plus_secs(1))),
            (facts(Some(0), false), Decision::Wait(NOW.plus_secs(1))),
            (facts(Some(11), true), Decision::Reuse),
        ] {
            assert_eq!(
                decide(
                    Facts {
                        cut_off: ahead,
                        ..facts
                    },
                    NOW
                ),
                expected
            );
        }
        let reached = Facts {
            cut_off: Some(NOW),
            ..facts(None, false)
        };
        assert_eq!(decide(reached, NOW), Decision::Rotate);
    }

    #[test]
    fn a_token_expires_at_its_last_second_exactly() {
        let ended = Facts {
            expires_at: NOW,
            ..facts(None, false)
        };
        assert_eq!(decide(ended, NOW), Decision::Expired);
    }
}
