//! Revoking by name: what an operator may do, over HTTP and on the command line. The names are
//! checked here; what goes with each scope is the same as when a user does it.

use shared::{Scope, SessionId, SubjectId, TokenId, UnixSeconds};

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
    let before_secs = end_sessions(app, &mut revoking, scope, name, request.before).await?;
    let now = app.clock.now();
    let order = Order {
        before_secs,
        latest_exp: before_secs
            .map_or(now, |secs| now.max(UnixSeconds::from_secs(secs)))
            .plus_secs(1 + app.issuer.lifetime_secs()),
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

/// Ends what goes with the scope, and answers with the cut-off, if it has one. An issuer's ends no
/// session: its sessions get new tokens, signed with a new key.
async fn end_sessions(
    app: &App,
    revoking: &mut Revoking,
    scope: Scope,
    name: &str,
    before: Option<UnixSeconds>,
) -> Result<Option<u64>, ApiError> {
    let now = app.clock.now();
    let tx = &mut revoking.tx;
    match (scope, before) {
        (Scope::Token, _) => Ok(None),
        (Scope::Session, _) => {
            sessions::close(tx, name, now).await?;
            Ok(None)
        }
        (Scope::User, None) => Ok(Some(end_every_session(app, tx, name, None).await?)),
        (Scope::User, Some(before)) => {
            users::lock(tx, name, now).await?;
            sessions::close_begun_before(tx, name, before, now).await?;
            Ok(Some(round_up(before)))
        }
        (Scope::Issuer, None) => Ok(Some(now.as_secs() + 1)),
        (Scope::Issuer, Some(before)) => Ok(Some(round_up(before))),
    }
}

/// A token of that second may be older than the time.
fn round_up(before: UnixSeconds) -> u64 {
    before.as_millis().div_ceil(1000)
}
