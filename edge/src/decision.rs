//! The decision about one request: a pure function of what is known so far.
//!
//! It either decides or names the one fact that it still needs; the handler gathers that fact and
//! asks again. So the order route → credentials → list → token → revoked → scope stands here and
//! nowhere else, and a fact that an earlier rule makes needless is never fetched.

use shared::{RevocationList, RevocationStatus, TokenError, UnixSeconds, ValidToken};

use crate::credentials::CredentialsError;
use crate::identity::Identity;
use crate::introspection::{Introspection, IntrospectionError};
use crate::route::{Access, ListStalePolicy, Route};

/// What is known about a request. A fact that was not gathered yet is `NotGathered`.
#[derive(Debug, Clone, Copy)]
pub struct DecisionInput<'a> {
    /// `None` where no route matches.
    pub route: Option<&'a Route>,
    pub credentials: Result<&'a str, CredentialsError>,
    pub list: ListFact<'a>,
    pub token: Fact<Result<&'a ValidToken, TokenError>>,
    pub introspection: Fact<Result<&'a Introspection, IntrospectionError>>,
    pub now: UnixSeconds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    NotGathered,
    Known(T),
}

/// The list in memory, and what may still be done for a newer one.
#[derive(Debug, Clone, Copy)]
pub struct ListFact<'a> {
    pub list: Option<&'a RevocationList>,
    pub refresh: Refresh,
}

/// What a request does for a newer list than the one in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// Nobody listened for a while: it looks for what was missed, even where the list would do.
    Due,
    /// It looks only where the list will not do.
    IfNeeded,
    /// It has looked on both lanes: there is nothing newer to be had.
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Let it through; with an identity where the route is protected.
    Forward(Option<Identity>),
    Deny(DenyReason),
    /// Undecided: gather this and ask again.
    Gather(Missing),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The lists that were published while nobody listened, if they come soon.
    MissedList,
    /// A list newer than the one in memory.
    FresherList,
    /// The token parsed, its signature verified, its claims validated.
    VerifiedToken,
    /// The origin's word about the token (RFC 7662).
    Introspection,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    AmbiguousPath,
    NoRoute,
    Credentials(CredentialsError),
    Token(TokenError),
    Revoked(Revoked),
    /// The origin was asked and says that the token is not active.
    NotActive,
    /// Holds the scopes that the route asks for.
    InsufficientScope(String),
    List(ListProblem),
    Introspection(IntrospectionError),
    /// One of the edge's own paths, and nothing is there.
    NotFound,
    /// One of the edge's own pages, which can only be read.
    MethodNotAllowed,
    UpstreamUnreachable,
    /// Our own fault: a bad configuration, a failure that no rule foresees.
    Internal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// By its own name, its session's, or its issuer's cut-off.
    Token,
    /// By a cut-off of its user.
    User,
}

/// Why the list in memory cannot decide on this route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListProblem {
    /// There is none: not the same as an empty one.
    Absent,
    Expired,
    /// Alive, but older than the route allows.
    TooOld,
}

/// Decides, or says what is missing.
#[must_use]
pub fn decide(input: &DecisionInput<'_>) -> Decision {
    decide_or_stop(input).unwrap_or_else(|stop| stop)
}

/// `Err` ends the chain of rules early, with a denial or a missing fact.
fn decide_or_stop(input: &DecisionInput<'_>) -> Result<Decision, Decision> {
    let route = input.route.ok_or(Decision::Deny(DenyReason::NoRoute))?;
    if route.access == Access::Public {
        return Ok(Decision::Forward(None));
    }
    let token = input
        .credentials
        .map_err(|error| Decision::Deny(DenyReason::Credentials(error)))?;
    let identity = match decide_source(route, input)? {
        Source::List(list) => decide_by_list(list, input)?,
        Source::Origin => decide_by_origin(token, input)?,
        Source::ListThenOrigin(list) => {
            // The list is too old to say "not revoked", not to say "forged" or "revoked": what it
            // refuses does not reach the origin.
            let identity = decide_by_list(list, input)?;
            decide_by_origin(token, input).map(|_| identity)?
        }
    };
    match &route.scope {
        Some(scope) if !scope.names().all(|name| identity.has_scope(name)) => Err(Decision::Deny(
            DenyReason::InsufficientScope(scope.as_str().to_owned()),
        )),
        _ => Ok(Decision::Forward(Some(identity))),
    }
}

/// Who has the say about a token.
enum Source<'a> {
    List(&'a RevocationList),
    Origin,
    ListThenOrigin(&'a RevocationList),
}

fn decide_source<'a>(route: &Route, input: &DecisionInput<'a>) -> Result<Source<'a>, Decision> {
    let (list, problem) = match find_usable_list(route, input) {
        Ok(_) if input.list.refresh == Refresh::Due => {
            return Err(Decision::Gather(Missing::MissedList));
        }
        Ok(list) => return Ok(Source::List(list)),
        Err(found) => found,
    };
    let deny = Decision::Deny(DenyReason::List(problem));
    let was_fetched = input.list.refresh == Refresh::Done;
    let deny_after_fetch = if was_fetched {
        deny
    } else {
        Decision::Gather(Missing::FresherList)
    };
    match (route.when_list_stale, problem, list) {
        // The origin knows better than any list that it could send.
        (ListStalePolicy::AskOrigin, ListProblem::TooOld, Some(list)) => {
            Ok(Source::ListThenOrigin(list))
        }
        (ListStalePolicy::AskOrigin, _, _) if was_fetched => Ok(Source::Origin),
        (ListStalePolicy::AllowUpToSecs(secs), _, Some(list))
            if was_fetched && may_go_on(list, secs, input.now) =>
        {
            Ok(Source::List(list))
        }
        _ => Err(deny_after_fetch),
    }
}

type Unusable<'a> = (Option<&'a RevocationList>, ListProblem);

fn find_usable_list<'a>(
    route: &Route,
    input: &DecisionInput<'a>,
) -> Result<&'a RevocationList, Unusable<'a>> {
    let list = input.list.list.ok_or((None, ListProblem::Absent))?;
    if list.is_expired(input.now) {
        return Err((Some(list), ListProblem::Expired));
    }
    match route.max_list_age_secs {
        Some(max) if is_older(list, max, input.now) => Err((Some(list), ListProblem::TooOld)),
        _ => Ok(list),
    }
}

/// A route may outlive its list only as far as the list itself says: `exp` + `grace`.
fn may_go_on(list: &RevocationList, max_age_secs: u64, now: UnixSeconds) -> bool {
    let head = list.head();
    now < head.exp.plus_secs(head.grace) && !is_older(list, max_age_secs, now)
}

fn is_older(list: &RevocationList, max_age_secs: u64, now: UnixSeconds) -> bool {
    now > list.head().iat.plus_secs(max_age_secs)
}

fn decide_by_list(list: &RevocationList, input: &DecisionInput<'_>) -> Result<Identity, Decision> {
    let deny_token = |error| Decision::Deny(DenyReason::Token(error));
    let token = match input.token {
        Fact::NotGathered => return Err(Decision::Gather(Missing::VerifiedToken)),
        Fact::Known(verdict) => verdict.map_err(deny_token)?,
    };
    let claims = token.claims();
    // The token may have been verified minutes ago, under another list: only its signature is
    // taken for granted.
    let issuer = list
        .issuer(&claims.iss)
        .ok_or(deny_token(TokenError::IssuerMismatch))?;
    if !issuer.has_key(&token.key_fingerprint()) {
        return Err(deny_token(TokenError::UnknownKey));
    }
    token
        .validate_again(&issuer.policy, input.now)
        .map_err(deny_token)?;
    match list.status(token) {
        RevocationStatus::NotRevoked => Ok(Identity::of(claims)),
        RevocationStatus::UserCutOff => Err(Decision::Deny(DenyReason::Revoked(Revoked::User))),
        RevocationStatus::TokenRevoked
        | RevocationStatus::SessionRevoked
        | RevocationStatus::IssuerCutOff => {
            Err(Decision::Deny(DenyReason::Revoked(Revoked::Token)))
        }
    }
}

fn decide_by_origin(token: &str, input: &DecisionInput<'_>) -> Result<Identity, Decision> {
    // Text that is no token at all is not worth a question.
    shared::UnverifiedToken::parse(token)
        .map_err(|error| Decision::Deny(DenyReason::Token(error)))?;
    match input.introspection {
        Fact::NotGathered => Err(Decision::Gather(Missing::Introspection)),
        Fact::Known(Err(error)) => Err(Decision::Deny(DenyReason::Introspection(error))),
        Fact::Known(Ok(Introspection::NotActive)) => Err(Decision::Deny(DenyReason::NotActive)),
        Fact::Known(Ok(Introspection::Active(identity))) => Ok(identity.clone()),
    }
}
