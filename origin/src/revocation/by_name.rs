//! Revoking by name: what an operator may do, over HTTP and on the command line. The names are
//! checked here; what goes with each scope is the same as when a user does it.

use shared::{LEEWAY_SECS, Scope, SessionId, SubjectId, TokenId, UnixSeconds};

use super::cut_off::cut_off_everyone;
use super::{Order, Receipt, Revoking, end_every_session};
use crate::app::App;
use crate::error::ApiError;
use crate::store::audit::Event;
use crate::store::{sessions, users};

const MAX_REASON_CHARS: usize = 500;

/// A revocation as it was asked for; nothing of it has been checked.
#[derive(Debug)]
pub struct Request<'a> {
    pub scope: &'a str,
    /// `None`: ours, the only one there is.
    pub issuer: Option<&'a str>,
    /// `jti`, `sid` or `sub`; nothing for the scope issuer.
    pub name: Option<&'a str>,
    /// For the scopes user and issuer; `None`: everything issued until now.
    pub before: Option<UnixSeconds>,
    pub reason: &'a str,
    pub actor: &'a str,
    pub address: Option<&'a str>,
}

pub async fn revoke_by_name(app: &App, request: &Request<'_>) -> Result<Receipt, ApiError> {
    let scope = Scope::parse(request.scope).ok_or(ApiError::UnknownRevocationScope)?;
    let name = parse_name(app, scope, request)?;
    check_reason(request.reason)?;
    check_before(app, scope, request.before)?;
    let mut revoking = Revoking::begin(app, scope, name).await?;
    let end = end_tokens(app, &mut revoking, scope, name, request.before).await?;
    let order = Order {
        before_secs: end.before_secs,
        // A cut-off of long ago is published all the same.
        latest_exp: end
            .last_token
            .max(app.clock.now())
            .plus_secs(app.issuer.lifetime_secs()),
        reason: request.reason,
        actor: request.actor,
        event: Event::Revoked,
        address: request.address,
        token: None,
    };
    revoking.record(app, &order).await
}

fn parse_name<'a>(app: &'a App, scope: Scope, request: &Request<'a>) -> Result<&'a str, ApiError> {
    let ours = app.issuer.name();
    if request.issuer.is_some_and(|issuer| issuer != ours) {
        return Err(ApiError::InvalidRevocationName);
    }
    let name = match (scope, request.name) {
        (Scope::Issuer, None) => return Ok(ours),
        (Scope::Issuer, Some(name)) if name == ours => return Ok(ours),
        (Scope::Issuer, Some(_)) | (_, None) => return Err(ApiError::InvalidRevocationName),
        (_, Some(name)) if name.contains(char::is_control) => {
            return Err(ApiError::InvalidRevocationName);
        }
        (_, Some(name)) => name,
    };
    let valid = match scope {
        Scope::Token => TokenId::parse(name).is_ok(),
        Scope::Session => SessionId::parse(name).is_ok(),
        Scope::User | Scope::Issuer => SubjectId::parse(name).is_ok(),
    };
    if valid {
        Ok(name)
    } else {
        Err(ApiError::InvalidRevocationName)
    }
}

pub(crate) fn check_reason(reason: &str) -> Result<(), ApiError> {
    let chars = reason.chars().count();
    if (1..=MAX_REASON_CHARS).contains(&chars) && !reason.contains(char::is_control) {
        Ok(())
    } else {
        Err(ApiError::InvalidReason)
    }
}

/// A cut-off ahead of the clock would kill tokens that are yet to be issued.
fn check_before(app: &App, scope: Scope, before: Option<UnixSeconds>) -> Result<(), ApiError> {
    match (scope, before) {
        (_, None) => Ok(()),
        (Scope::User | Scope::Issuer, Some(before)) if before <= app.clock.now() => Ok(()),
        (_, Some(_)) => Err(ApiError::InvalidBefore),
    }
}

/// Which tokens end.
struct End {
    before_secs: Option<u64>,
    /// When the last of them can have been made.
    last_token: UnixSeconds,
}

/// Ends what goes with the scope.
async fn end_tokens(
    app: &App,
    revoking: &mut Revoking,
    scope: Scope,
    name: &str,
    before: Option<UnixSeconds>,
) -> Result<End, ApiError> {
    let now = app.clock.now();
    let tx = &mut revoking.tx;
    Ok(match (scope, before) {
        // Nothing is known of it but that it is accepted: it is dated no later than that.
        (Scope::Token, _) => End::whole(now.plus_secs(LEEWAY_SECS)),
        (Scope::Session, _) => {
            let last_token = sessions::close(tx, name, now).await?;
            // A client's own token has a session's name, and no row.
            End::whole(last_token.unwrap_or(now.plus_secs(LEEWAY_SECS)))
        }
        (Scope::User, None) => End::before(end_every_session(app, tx, name, None).await?),
        (Scope::User, Some(before)) => {
            users::lock(tx, name, now).await?;
            sessions::close_begun_before(tx, name, before, now).await?;
            End::before(round_up(before))
        }
        (Scope::Issuer, None) => End::before(cut_off_everyone(app, tx).await?),
        (Scope::Issuer, Some(before)) => End::before(round_up(before)),
    })
}

impl End {
    fn whole(last_token: UnixSeconds) -> Self {
        Self {
            before_secs: None,
            last_token,
        }
    }

    fn before(secs: u64) -> Self {
        Self {
            before_secs: Some(secs),
            last_token: UnixSeconds::from_secs(secs),
        }
    }
}

/// A token of that second may be older than the time.
fn round_up(before: UnixSeconds) -> u64 {
    before.as_millis().div_ceil(1000)
}
