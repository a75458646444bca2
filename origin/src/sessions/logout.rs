//! Logging out, and ending a session from elsewhere. What ends with it is known to `revocation`.

use shared::{Claims, Scope, SessionId, UnixSeconds};

use super::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::{Order, Receipt, Revoking, SessionEnd, end_every_session, end_session};
use crate::store::audit::Event;

/// Ends the session of the token in hand.
pub async fn log_out(
    app: &App,
    claims: &Claims,
    sid: &SessionId,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    let end = SessionEnd {
        sid: sid.as_str(),
        reason: "logout",
        actor: &user_actor(claims.sub.as_str()),
        event: Event::LoggedOut,
        address: Some(&caller.address),
        token: Some((&claims.jti, claims.exp)),
    };
    end_session(app, &end).await
}

/// Ends every session of the user: those there are by their rows, and every token issued until now
/// by the cut-off.
pub async fn log_out_everywhere(
    app: &App,
    claims: &Claims,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    let user_id = claims.sub.as_str();
    let mut revoking = Revoking::begin(app, Scope::User, user_id).await?;
    let cut_off_secs = end_every_session(app, &mut revoking.tx, user_id, Some(claims.iat)).await?;
    let order = Order {
        before_secs: Some(cut_off_secs),
        latest_exp: UnixSeconds::from_secs(cut_off_secs).plus_secs(app.issuer.lifetime_secs()),
        reason: "logout_all",
        actor: &user_actor(user_id),
        event: Event::LoggedOutEverywhere,
        address: Some(&caller.address),
        token: None,
    };
    revoking.record(app, &order).await
}

/// Ends one session by its name, on behalf of `actor`.
pub async fn close(
    app: &App,
    sid: &str,
    actor: &str,
    reason: &str,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    let end = SessionEnd {
        sid,
        reason,
        actor,
        event: Event::SessionClosed,
        address: Some(&caller.address),
        token: None,
    };
    end_session(app, &end).await
}

pub(crate) fn user_actor(sub: &str) -> String {
    format!("user:{sub}")
}
