//! The bearer of an access token (RFC 6750): genuine, alive, and not revoked, in this order. An
//! unverified token must not choose what is looked up.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shared::{Claims, RevocationStatus, SessionId};

use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation;

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

/// The token, if there is exactly one. A token in the query alone is none: it would be in every log.
fn bearer_token(parts: &Parts) -> Result<&str, ApiError> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(ApiError::MissingToken)?;
    if values.next().is_some() || has_query_token(parts) {
        return Err(ApiError::TwoTokens);
    }
    let text = value.to_str().map_err(|_| ApiError::MissingToken)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(ApiError::MissingToken),
    }
}

fn has_query_token(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}
