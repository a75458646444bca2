//! The refresh that nobody disputes: a token not used yet, of an open session. It needs no
//! transaction, because one statement checks that again and writes; every other case, and every
//! race that was lost, is left to `refresh`.

use secrecy::ExposeSecret;

use super::refresh_decision::{Decision, decide, facts};
use super::refresh_token::{Presented, token_hash};
use super::{TokenResponse, access_token, ends_at, scope, successor};
use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::store::in_time::InTime;
use crate::store::refresh_tokens::{self, Successor, Used};
use crate::store::sessions;

/// `None`: nothing was changed, and it is to be done with the session locked.
pub(super) async fn refresh_at_once(
    app: &App,
    handed_in: &Presented<'_>,
) -> Result<Option<TokenResponse>, ApiError> {
    let hash = token_hash(handed_in.token.expose_secret());
    let mut connection = app.pool.acquire().in_time().await?;
    let Some(session) = sessions::find_by_refresh_token(&mut connection, &hash)
        .await?
        .filter(|session| session.client_id == handed_in.client_id)
    else {
        return Ok(None);
    };
    let issuer = app.issuer.name();
    let found = refresh_tokens::find_presented(&mut connection, &hash, &session.user_id, issuer);
    let Some(presented) = found.await? else {
        return Ok(None);
    };
    let now = app.clock.now();
    if decide(facts(&session, &presented), now) != Decision::Rotate {
        return Ok(None);
    }
    // Whatever may be refused or fail comes before the one statement that cannot be undone.
    let scope = scope::carry_on(&presented.user, &session.scope, handed_in.scope)?;
    let response = access_token(app, &presented.user, &session, scope, now)?;
    let refresh_token = random::new_secret()?;
    let successor_hash = token_hash(&refresh_token);
    let successor = Successor {
        hash: &successor_hash,
        sealed: &successor::seal(handed_in.token.expose_secret(), &refresh_token)?,
    };
    let expires_at = ends_at(app, &session, now);
    let rotated = refresh_tokens::rotate_at_once(
        &mut connection,
        &hash,
        &session,
        &successor,
        expires_at,
        now,
    );
    Ok(match rotated.await? {
        Used::Now => Some(TokenResponse {
            refresh_token: Some(refresh_token),
            ..response
        }),
        Used::Before => None,
    })
}
