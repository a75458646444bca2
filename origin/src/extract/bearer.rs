//! The bearer of an access token (RFC 6750): genuine, alive, and not revoked, in this order. An
//! unverified token must not choose what is looked up.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use shared::{Claims, RevocationStatus, SessionId};

use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation;

/// The name of a token as a cookie and as a query parameter.
const TOKEN_NAME: &str = "access_token";

/// A request with a token that holds.
#[derive(Debug)]
pub struct Authenticated {
    pub claims: Claims,
    pub sid: SessionId,
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer_token(parts)?;
        let now = app.clock.now();
        let valid = app
            .issuer
            .verify(token, now)
            .await
            .map_err(ApiError::InvalidToken)?;
        let claims = valid.claims().clone();
        match revocation::status(app, &claims).await? {
            RevocationStatus::NotRevoked => {}
            RevocationStatus::UserCutOff => return Err(ApiError::AllSessionsRevoked),
            RevocationStatus::TokenRevoked
            | RevocationStatus::SessionRevoked
            | RevocationStatus::IssuerCutOff => return Err(ApiError::TokenRevoked),
        }
        let sid = claims
            .sid
            .clone()
            .ok_or(ApiError::Internal("a token of ours has no sid"))?;
        Ok(Self { claims, sid })
    }
}

/// A request with a token that holds and has the operator's scope.
#[derive(Debug)]
pub struct Operator(pub Authenticated);

impl FromRequestParts<App> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let authenticated = Authenticated::from_request_parts(parts, app).await?;
        if authenticated.claims.has_scope(OPERATOR) {
            Ok(Self(authenticated))
        } else {
            Err(ApiError::InsufficientScope(OPERATOR))
        }
    }
}

/// The token, if there is exactly one, by the rules of the edge (`edge/src/credentials.rs`), but for
/// one: a token in a cookie alone is none here, for this origin serves no pages. Neither is one in
/// the query: it would be in every log.
fn bearer_token(parts: &Parts) -> Result<&str, ApiError> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next();
    let cookies = token_cookies(parts);
    let places = [value.is_some(), cookies > 0, has_query_token(parts)];
    let is_repeated = values.next().is_some() || cookies > 1;
    if is_repeated || places.iter().filter(|&&found| found).count() > 1 {
        return Err(ApiError::TwoTokens);
    }
    let text = value
        .and_then(|value| value.to_str().ok())
        .ok_or(ApiError::MissingToken)?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::MissingToken);
    }
    if token.contains(',') {
        // Two headers that a proxy has joined: no token holds a comma.
        return Err(ApiError::TwoTokens);
    }
    if token.is_empty() || token.starts_with(' ') {
        return Err(ApiError::MalformedAuthorization);
    }
    Ok(token)
}

fn token_cookies(parts: &Parts) -> usize {
    let pairs = parts
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([';', ',']))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, value)| name.trim() == TOKEN_NAME && !value.trim().is_empty())
        .count()
}

fn has_query_token(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == TOKEN_NAME)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn code(uri: &str, headers: &[(&str, &str)]) -> Result<String, &'static str> {
        let request = headers
            .iter()
            .fold(Request::get(uri), |request, (name, value)| {
                request.header(*name, *value)
            });
        let (parts, ()) = request.body(()).unwrap().into_parts();
        bearer_token(&parts)
            .map(str::to_owned)
            .map_err(|error| error.code())
    }

    #[test]
    fn finds_the_one_token_or_says_why_there_is_none() {
        let bearer = ("authorization", "Bearer a");
        for (uri, headers, expected) in [
            ("/", &[bearer][..], Ok("a")),
            ("/", &[("authorization", "bEARER a")], Ok("a")),
            (
                "/",
                &[bearer, ("cookie", "access_token=; other=b")],
                Ok("a"),
            ),
            ("/", &[], Err("missing_token")),
            ("/", &[("authorization", "Basic a")], Err("missing_token")),
            (
                "/",
                &[("authorization", "Bearer")],
                Err("authorization_malformed"),
            ),
            (
                "/",
                &[("authorization", "Bearer  a")],
                Err("authorization_malformed"),
            ),
            (
                "/",
                &[("authorization", "Bearer a, Bearer b")],
                Err("invalid_request"),
            ),
            ("/", &[bearer, bearer], Err("invalid_request")),
            (
                "/",
                &[bearer, ("cookie", "x=1; access_token=b")],
                Err("invalid_request"),
            ),
            ("/?access_token=b", &[bearer], Err("invalid_request")),
            ("/?access%5Ftoken=b", &[bearer], Err("invalid_request")),
            (
                "/?access_token=b",
                &[("cookie", "access_token=b")],
                Err("invalid_request"),
            ),
            (
                "/",
                &[("cookie", "access_token=a; access_token=b")],
                Err("invalid_request"),
            ),
            ("/?access_token=b", &[], Err("missing_token")),
            ("/", &[("cookie", "access_token=b")], Err("missing_token")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(code(uri, headers), expected, "{uri} {headers:?}");
        }
    }
}
