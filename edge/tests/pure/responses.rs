//! Every denial, word for word.

use edge::credentials::CredentialsError;
use edge::decision::{DenyReason, ListProblem, Revoked};
use edge::introspection::IntrospectionError;
use edge::response::build_denial;
use shared::TokenError;

fn every_denial() -> Vec<DenyReason> {
    vec![
        DenyReason::Credentials(CredentialsError::Missing),
        DenyReason::Credentials(CredentialsError::Malformed),
        DenyReason::Credentials(CredentialsError::TwoAuthorizationHeaders),
        DenyReason::Credentials(CredentialsError::TokenInTwoPlaces),
        DenyReason::Credentials(CredentialsError::CrossSite),
        DenyReason::Token(TokenError::SignatureInvalid),
        DenyReason::Token(TokenError::LifetimeTooLong),
        DenyReason::Token(TokenError::EngineFailed),
        DenyReason::Revoked(Revoked::Token),
        DenyReason::Revoked(Revoked::User),
        DenyReason::NotActive,
        DenyReason::InsufficientScope("operator".to_owned()),
        DenyReason::List(ListProblem::Absent),
        DenyReason::List(ListProblem::Expired),
        DenyReason::List(ListProblem::TooOld),
        DenyReason::Introspection(IntrospectionError::Unreachable),
        DenyReason::Introspection(IntrospectionError::Refused),
        DenyReason::Introspection(IntrospectionError::Unreadable),
        DenyReason::AmbiguousPath,
        DenyReason::NoRoute,
        DenyReason::NotFound,
        DenyReason::MethodNotAllowed,
        DenyReason::UpstreamUnreachable,
        DenyReason::Internal,
    ]
}

/// What every answer of ours has, and is not shown below.
const OWN_HEADERS: [(&str, &str); 2] = [
    ("content-type", "application/problem+json"),
    ("cache-control", "no-store"),
];

/// Status, the other headers, `detail` and `code`.
fn show(reason: &DenyReason) -> String {
    let response = build_denial(reason);
    let body: serde_json::Value = serde_json::from_str(&response.body).unwrap();
    let mut lines = vec![format!(
        "{} {}",
        body["status"],
        body["title"].as_str().unwrap()
    )];
    for (name, value) in &response.headers {
        if !OWN_HEADERS.contains(&(name, value)) {
            lines.push(format!("  {name}: {value}"));
        }
    }
    lines.push(format!(
        "  {}: {}",
        body["code"].as_str().unwrap(),
        body["detail"].as_str().unwrap()
    ));
    lines.join("\n")
}

#[test]
fn says_every_denial_word_for_word() {
    let all: Vec<_> = every_denial().iter().map(show).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis"
      missing_token: An access token is required
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="The Authorization header is not 'Bearer', one space and a token"
      authorization_malformed: The Authorization header is not `Bearer`, one space and a token
    400 Bad Request
      www-authenticate: Bearer realm="portcullis", error="invalid_request", error_description="The request has more than one Authorization header"
      invalid_request: The request has more than one Authorization header
    400 Bad Request
      www-authenticate: Bearer realm="portcullis", error="invalid_request", error_description="The request carries a token in more than one place"
      invalid_request: The request carries a token in more than one place
    403 Forbidden
      cross_site_request: Another site may not do this with the cookie of this one
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="The access token is not valid: the signature does not verify"
      signature_invalid: The access token is not valid: the signature does not verify
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="The access token is not valid: 'exp' - 'iat' is longer than the policy allows"
      lifetime_too_long: The access token is not valid: `exp` − `iat` is longer than the policy allows
    503 Service Unavailable
      retry-after: 2
      engine_failed: The access token could not be checked
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="Token has been revoked"
      token_revoked: Token has been revoked
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="All user sessions have been revoked"
      all_sessions_revoked: All user sessions have been revoked
    401 Unauthorized
      www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="The access token is not active"
      token_not_active: The access token is not active
    403 Forbidden
      www-authenticate: Bearer realm="portcullis", error="insufficient_scope", scope="operator"
      insufficient_scope: The access token lacks the scope operator
    503 Service Unavailable
      retry-after: 2
      list_absent: There is no revocation list yet
    503 Service Unavailable
      retry-after: 2
      list_expired: The revocation list has ended
    503 Service Unavailable
      retry-after: 2
      list_too_old: The revocation list is older than this route allows
    503 Service Unavailable
      retry-after: 2
      introspection_unreachable: The origin could not be reached to ask about the token
    503 Service Unavailable
      retry-after: 2
      introspection_refused: The origin refused to answer about the token
    503 Service Unavailable
      retry-after: 2
      introspection_unreadable: The origin's answer about the token could not be read
    400 Bad Request
      path_ambiguous: The path can be read in more than one way
    403 Forbidden
      no_route: No route allows this request
    404 Not Found
      not_found: There is nothing here
    405 Method Not Allowed
      allow: GET, HEAD
      method_not_allowed: This page is for GET, HEAD
    502 Bad Gateway
      upstream_unreachable: The upstream did not answer
    503 Service Unavailable
      retry-after: 2
      internal: Something went wrong on our side
    "#);
}

#[test]
fn sends_a_whole_problem_document() {
    let response = build_denial(&DenyReason::Revoked(Revoked::Token));
    insta::assert_snapshot!(response.body, @r#"{"type":"urn:portcullis:problem:token_revoked","title":"Unauthorized","status":401,"detail":"Token has been revoked","code":"token_revoked"}"#);
}

#[test]
fn marks_every_denial_as_a_problem_that_no_cache_may_keep() {
    for reason in every_denial() {
        let response = build_denial(&reason);
        for (name, value) in OWN_HEADERS {
            assert!(
                response.headers.contains(&(name, value.to_owned())),
                "{reason:?} lacks {name}"
            );
        }
        let body: serde_json::Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(body["status"], response.status, "{reason:?}");
    }
}

/// Header values are written by platforms that take Latin-1 at most, and end at a quote.
#[test]
fn writes_every_reason_for_a_bad_token_as_a_quoted_string() {
    for error in TokenError::ALL {
        for (name, value) in build_denial(&DenyReason::Token(*error)).headers {
            assert!(
                value
                    .bytes()
                    .all(|byte| byte == b' ' || byte.is_ascii_graphic()),
                "{value}"
            );
            if name == "www-authenticate" {
                assert_eq!(value.matches('"').count(), 6, "{value}");
            }
        }
    }
}
