//! What a denied request is told: problem+json (RFC 9457) with one status, one code and, for
//! tokens, the challenge of RFC 6750. Plain data; the platform turns it into a response.

use serde::Serialize;

use crate::credentials::CredentialsError;
use crate::decision::{DenyReason, ListProblem, Revoked};

/// Seconds after which a client may try again when the edge cannot decide.
const RETRY_AFTER_SECS: &str = "2";
/// The origin's as well: a token is good for both.
const REALM: &str = "portcullis";
/// What the edge's own pages may be asked with.
const OWN_METHODS: &str = "GET, HEAD";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl PlainResponse {
    /// 200 with a JSON body of the edge's own.
    #[must_use]
    pub fn json(body: String) -> Self {
        Self {
            status: 200,
            headers: own_headers("application/json"),
            body,
        }
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
}

#[must_use]
pub fn build_denial(reason: &DenyReason) -> PlainResponse {
    let status = status_of(reason);
    let detail = detail_of(reason);
    let problem = Problem {
        r#type: format!("urn:portcullis:problem:{}", code_of(reason)),
        title: title_of(status),
        status,
        detail: &detail,
        code: code_of(reason),
    };
    let mut headers = own_headers("application/problem+json");
    headers.extend(challenge_of(reason, &detail).map(|value| ("www-authenticate", value)));
    match status {
        405 => headers.push(("allow", OWN_METHODS.to_owned())),
        503 => headers.push(("retry-after", RETRY_AFTER_SECS.to_owned())),
        _ => {}
    }
    // Unwrap safety: strings and a number always serialise.
    let body = serde_json::to_string(&problem).expect("a problem is plain JSON");
    PlainResponse {
        status,
        headers,
        body,
    }
}

fn own_headers(content_type: &str) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", content_type.to_owned()),
        ("cache-control", "no-store".to_owned()),
    ]
}

fn status_of(reason: &DenyReason) -> u16 {
    use CredentialsError as Credentials;
    match reason {
        DenyReason::AmbiguousPath
        | DenyReason::Credentials(
            Credentials::TwoAuthorizationHeaders | Credentials::TokenInTwoPlaces,
        ) => 400,
        DenyReason::Token(shared::TokenError::EngineFailed)
        | DenyReason::List(_)
        | DenyReason::Introspection(_)
        | DenyReason::Internal => 503,
        DenyReason::Credentials(Credentials::Missing | Credentials::Malformed)
        | DenyReason::Token(_)
        | DenyReason::Revoked(_)
        | DenyReason::NotActive => 401,
        DenyReason::NoRoute
        | DenyReason::Credentials(Credentials::CrossSite)
        | DenyReason::InsufficientScope(_) => 403,
        DenyReason::NotFound => 404,
        DenyReason::MethodNotAllowed => 405,
        DenyReason::UpstreamUnreachable => 502,
    }
}

fn title_of(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        502 => "Bad Gateway",
        _ => "Service Unavailable",
    }
}

/// One stable string for responses and logs.
#[must_use]
pub fn code_of(reason: &DenyReason) -> &'static str {
    match reason {
        DenyReason::AmbiguousPath => "path_ambiguous",
        DenyReason::NoRoute => "no_route",
        DenyReason::Credentials(CredentialsError::Missing) => "missing_token",
        DenyReason::Credentials(CredentialsError::Malformed) => "authorization_malformed",
        DenyReason::Credentials(CredentialsError::CrossSite) => "cross_site_request",
        DenyReason::Credentials(
            CredentialsError::TwoAuthorizationHeaders | CredentialsError::TokenInTwoPlaces,
        ) => "invalid_request",
        DenyReason::Token(error) => error.code(),
        DenyReason::Revoked(Revoked::Token) => "token_revoked",
        DenyReason::Revoked(Revoked::User) => "all_sessions_revoked",
        DenyReason::NotActive => "token_not_active",
        DenyReason::InsufficientScope(_) => "insufficient_scope",
        DenyReason::List(ListProblem::Absent) => "list_absent",
        DenyReason::List(ListProblem::Expired) => "list_expired",
        DenyReason::List(ListProblem::TooOld) => "list_too_old",
        DenyReason::Introspection(error) => error.code(),
        DenyReason::NotFound => "not_found",
        DenyReason::MethodNotAllowed => "method_not_allowed",
        DenyReason::UpstreamUnreachable => "upstream_unreachable",
        DenyReason::Internal => "internal",
    }
}

fn detail_of(reason: &DenyReason) -> String {
    match reason {
        DenyReason::AmbiguousPath => crate::request_target::AmbiguousPath.to_string(),
        DenyReason::NoRoute => "No route allows this request".to_owned(),
        DenyReason::Credentials(error) => error.to_string(),
        DenyReason::Token(shared::TokenError::EngineFailed) => {
            "The access token could not be checked".to_owned()
        }
        DenyReason::Token(error) => format!("The access token is not valid: {error}"),
        DenyReason::Revoked(Revoked::Token) => "Token has been revoked".to_owned(),
        DenyReason::Revoked(Revoked::User) => "All user sessions have been revoked".to_owned(),
        DenyReason::NotActive => "The access token is not active".to_owned(),
        DenyReason::InsufficientScope(scope) => format!("The access token lacks the scope {scope}"),
        DenyReason::List(ListProblem::Absent) => "There is no revocation list yet".to_owned(),
        DenyReason::List(ListProblem::Expired) => "The revocation list has ended".to_owned(),
        DenyReason::List(ListProblem::TooOld) => {
            "The revocation list is older than this route allows".to_owned()
        }
        DenyReason::Introspection(error) => error.to_string(),
        DenyReason::NotFound => "There is nothing here".to_owned(),
        DenyReason::MethodNotAllowed => format!("This page is for {OWN_METHODS}"),
        DenyReason::UpstreamUnreachable => "The upstream did not answer".to_owned(),
        DenyReason::Internal => "Something went wrong on our side".to_owned(),
    }
}

/// RFC 6750, section 3: always a realm, and no error code where no token was sent.
fn challenge_of(reason: &DenyReason, detail: &str) -> Option<String> {
    let error = |code: &str| {
        let description = quotable(detail);
        format!(r#", error="{code}", error_description="{description}""#)
    };
    let parameters = match (status_of(reason), reason) {
        (401, DenyReason::Credentials(CredentialsError::Missing)) => String::new(),
        (401, _) => error("invalid_token"),
        (400, DenyReason::Credentials(_)) => error("invalid_request"),
        (403, DenyReason::InsufficientScope(scope)) => {
            format!(r#", error="insufficient_scope", scope="{scope}""#)
        }
        _ => return None,
    };
    Some(format!(r#"Bearer realm="{REALM}"{parameters}"#))
}

/// `error_description` is printable ASCII without `"` and `\` (RFC 6750, section 3).
fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' | '`' => '\'',
            '−' => '-',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}
