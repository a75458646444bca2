//! Refreshing, without tears: a token is used once; who lost the answer, or a race with a second
//! tab, is shown the same successor again; a thief's second use ends the session. Refreshing and
//! revoking take turns on the session's row, so no token that the loser made survives.

use secrecy::ExposeSecret;
use shared::{Scope, UnixSeconds};

use super::login::wait_for_cut_off;
use super::refresh_decision::{Decision, decide, facts};
use super::refresh_token::{Presented, token_hash};
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

/// A new pair for a refresh token (RFC 6749, section 6), used once: within 10 s a duplicate gets the
/// same successor, and after that as long as the successor is unused.
///
/// Errors: `RefreshTokenUnknown` (also where it was given to another client), `RefreshTokenExpired`,
/// `SessionClosed`, `InvalidScope` (more than was granted), `CutOffAhead`, `NoSigningKey`; and
/// `RefreshTokenReused`, which has ended the session.
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
    store::commit(tx).await?;
    count(decision);
    Ok(Outcome::Done(TokenResponse {
        refresh_token: Some(refresh_token),
        ..response
    }))
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
        // The row is locked, and the time it was last seen is now or, by a clock ahead, later.
        latest_exp: session.last_seen_at.plus_secs(app.issuer.lifetime_secs()),
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
