//! Revoking by name: what an operator may do, over HTTP and on the command line. The names are
//! checked here; what goes with each scope is the same as when a user does it.

use shared::{Scope, SessionId, SubjectId, TokenId, UnixSeconds};

use super::{Order, Receipt, Revoking};
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
    end_sessions(app, &mut revoking, scope, name, request.before).await?;
    let order = Order {
        before_secs: cut_off_secs(app, scope, request.before),
        latest_exp: app.clock.now().plus_secs(1 + app.issuer.lifetime_secs()),
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

fn check_reason(reason: &str) -> Result<(), ApiError> {
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

/// The cut-off in whole seconds, rounded up: a token of that second may be older than the time.
fn cut_off_secs(app: &App, scope: Scope, before: Option<UnixSeconds>) -> Option<u64> {
    match scope {
        Scope::Token | Scope::Session => None,
        Scope::User | Scope::Issuer => Some(match before {
            None => app.clock.now().as_secs() + 1,
            Some(before) => before.as_millis().div_ceil(1000),
        }),
    }
}

/// An issuer's cut-off ends no session: its sessions get new tokens, signed with a new key.
async fn end_sessions(
    app: &App,
    revoking: &mut Revoking,
    scope: Scope,
    name: &str,
    before: Option<UnixSeconds>,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    match scope {
        Scope::Token | Scope::Issuer => {}
        Scope::Session => sessions::close(&mut revoking.tx, name, now).await?,
        Scope::User => {
            users::lock(&mut revoking.tx, name, now).await?;
            let begun_before = before.unwrap_or(now.plus_secs(1));
            sessions::close_begun_before(&mut revoking.tx, name, begun_before, now).await?;
        }
    }
    Ok(())
}
