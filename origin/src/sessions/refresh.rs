//! Refreshing, without tears: a token is used once; who lost the answer, or a race with a second
//! tab, is shown the same successor again; a thief's second use ends the session. Refreshing and
//! revoking take turns on the session's row, so no token that the loser made survives.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use shared::{Scope, UnixSeconds};

use super::login::wait_for_cut_off;
use super::undisputed::refresh_at_once;
use super::{Caller, TokenResponse, access_token, ends_at, scope, successor};
use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::revocation::{Order, Revoking};
use crate::store::audit::Event;
use crate::store::refresh_tokens::{self, Successor, Used};
use crate::store::sessions::Session;
use crate::store::{self, Transaction, sessions};

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

/// The state machine, whole.
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

#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// A refresh token as it is handed in.
#[derive(Debug)]
pub struct Presented<'a> {
    pub token: &'a SecretString,
    /// The client that asks: a token works only for the client it was given to.
    pub client_id: &'a str,
    /// The scope of the next access token, if it is to have less than the session.
    pub scope: Option<&'a str>,
}

pub async fn refresh(
    app: &App,
    presented: &Presented<'_>,
    caller: &Caller,
) -> Result<TokenResponse, ApiError> {
    // The same decision without the lock, for what nobody disputes: most of all refreshes.
    if store::writes_several_tables_at_once(&app.pool)
        && let Some(response) = refresh_at_once(app, presented).await?
    {
        count(Decision::Rotate);
        return Ok(response);
    }
    loop {
        match attempt(app, presented).await? {
            Outcome::Done(response) => return Ok(response),
            Outcome::Wait(cut_off) => wait_for_cut_off(app, cut_off).await?,
            Outcome::Reuse(tx, session) => {
                end_family(app, tx, &session, caller).await?;
                return Err(ApiError::RefreshTokenReused);
            }
        }
    }
}

enum Outcome {
    Done(TokenResponse),
    Wait(UnixSeconds),
    /// Still under the lock, so that nothing comes between finding out and ending it.
    Reuse(Transaction, Session),
}

async fn attempt(app: &App, handed_in: &Presented<'_>) -> Result<Outcome, ApiError> {
    let token = handed_in.token.expose_secret();
    let hash = token_hash(token);
    let mut tx = store::begin(&app.pool).await?;
    let now = app.clock.now();
    let session = sessions::lock_by_refresh_token(&mut tx, &hash, now)
        .await?
        .filter(|session| session.client_id == handed_in.client_id)
        .ok_or(ApiError::RefreshTokenUnknown)?;
    let issuer = app.issuer.name();
    let presented = refresh_tokens::find_presented(&mut tx, &hash, &session.user_id, issuer)
        .await?
        .ok_or(ApiError::RefreshTokenUnknown)?;
    // The lock may have been waited for: the time that counts is now.
    let now = app.clock.now();
    let decision = decide(facts(&session, &presented), now);
    let refresh_token = match decision {
        Decision::Rotate => rotate(app, &mut tx, token, &hash, &session, now).await?,
        Decision::Replay => replay(token, &presented)?,
        Decision::Wait(cut_off) => return Ok(Outcome::Wait(cut_off)),
        Decision::Expired => return Err(ApiError::RefreshTokenExpired),
        Decision::SessionClosed => return Err(ApiError::SessionClosed),
        Decision::Reuse => return Ok(Outcome::Reuse(tx, session)),
    };
    // Cut-offs are whole seconds: within the one that is noted already there is nothing to note.
    if now.as_secs() > session.last_seen_at.as_secs() {
        sessions::note_token(&mut tx, &session.sid, now).await?;
    }
    // A scope that cannot be had undoes the rotation: nothing was handed out for it.
    let scope = scope::carry_on(&presented.user, &session.scope, handed_in.scope)?;
    let response = access_token(app, &presented.user, &session, scope, now)?;
    tx.commit().await?;
    count(decision);
    Ok(Outcome::Done(TokenResponse {
        refresh_token: Some(refresh_token),
        ..response
    }))
}

pub(super) fn facts(session: &Session, presented: &refresh_tokens::Presented) -> Facts {
    Facts {
        session_open: session.revoked_at.is_none() && presented.user.disabled_at.is_none(),
        expires_at: presented.expires_at,
        used_at: presented.used_at,
        successor_used: presented.successor_used_at.is_some(),
        cut_off: presented.cut_off_secs.map(UnixSeconds::from_secs),
    }
}

async fn rotate(
    app: &App,
    tx: &mut Transaction,
    presented: &str,
    presented_hash: &[u8],
    session: &Session,
    now: UnixSeconds,
) -> Result<String, ApiError> {
    let token = random::new_secret()?;
    let hash = token_hash(&token);
    let successor = Successor {
        hash: &hash,
        sealed: &successor::seal(presented, &token)?,
    };
    // Compare and swap: the row's lock makes this the only one, and the row says so itself.
    if refresh_tokens::use_up(tx, presented_hash, &successor, now).await? == Used::Before {
        return Err(ApiError::Internal(
            "a refresh token was used outside its session's lock",
        ));
    }
    let expires_at = ends_at(app, session, now);
    refresh_tokens::insert(tx, &hash, &session.sid, now, expires_at).await?;
    Ok(token)
}

fn replay(token: &str, presented: &refresh_tokens::Presented) -> Result<String, ApiError> {
    let sealed = presented
        .successor_sealed
        .clone()
        .ok_or(ApiError::Internal("a used refresh token has no successor"))?;
    successor::open(token, sealed)
}

/// Only this session: the user's other devices have done nothing.
async fn end_family(
    app: &App,
    tx: Transaction,
    session: &Session,
    caller: &Caller,
) -> Result<(), ApiError> {
    count(Decision::Reuse);
    let mut revoking = Revoking::begin_in(tx, app, Scope::Session, &session.sid).await?;
    sessions::close(&mut revoking.tx, &session.sid, app.clock.now()).await?;
    let order = Order {
        before_secs: None,
        latest_exp: app.clock.now().plus_secs(app.issuer.lifetime_secs()),
        reason: "refresh_token_reused",
        actor: &super::user_actor(&session.user_id),
        event: Event::RefreshTokenReused,
        address: Some(&caller.address),
        token: None,
    };
    revoking.record(app, &order).await?;
    Ok(())
}

fn count(decision: Decision) {
    metrics::counter!("portcullis_refreshes_total", "decision" => decision.as_str()).increment(1);
}

impl Decision {
    fn as_str(self) -> &'static str {
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
