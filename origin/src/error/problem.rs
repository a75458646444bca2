//! An error as an answer: problem+json (RFC 9457), with the headers that RFC 6749 and RFC 6750 ask
//! for. A cause inside is logged here, once, and never sent.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::TokenError;
use utoipa::ToSchema;

use super::ApiError;
use crate::rate_window::Exceeded;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Seconds after which a client may ask again when a part of ours is down.
const RETRY_AFTER_SECS: u64 = 2;

impl ApiError {
    fn retry_after_secs(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts(exceeded) => Some(exceeded.retry_after_secs),
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER_SECS),
            _ => None,
        }
    }

    /// What RFC 6750 and RFC 6749 ask to be said beside a 401 or 403; `None` where they ask nothing.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::MissingToken => Some("Bearer".to_owned()),
            Self::InvalidToken(_)
            | Self::TokenRevoked
            | Self::AllSessionsRevoked
            | Self::UserNotFound
            | Self::UserDisabled => Some(format!(
                r#"Bearer error="invalid_token", error_description="{self}""#
            )),
            Self::InsufficientScope(scope) => Some(format!(
                r#"Bearer error="insufficient_scope", scope="{scope}""#
            )),
            Self::TwoTokens => Some(r#"Bearer error="invalid_request""#.to_owned()),
            Self::InvalidClient => Some(r#"Basic realm="portcullis""#.to_owned()),
            _ if self.status() == StatusCode::UNAUTHORIZED => Some("Bearer".to_owned()),
            _ => None,
        }
        .filter(|_| self.status().is_client_error())
    }

    /// What the user could do about it, in words for the user.
    fn hint(&self) -> Option<String> {
        match self {
            Self::PasswordTooCommon { hint } => Some(hint.clone()),
            _ => None,
        }
    }

    /// The `error` of RFC 6749, section 5.2, for the token endpoint and its relatives.
    fn oauth_error(&self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            _ => match self.status() {
                StatusCode::UNAUTHORIZED => "invalid_grant",
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                    "temporarily_unavailable"
                }
                status if status.is_server_error() => "server_error",
                _ => "invalid_request",
            },
        }
    }

    fn log(&self) {
        match self {
            Self::StoreUnavailable(cause) => {
                metrics::counter!("portcullis_store_errors_total").increment(1);
                tracing::error!(%cause, "the database did not answer");
            }
            Self::Internal(cause) => tracing::error!(cause, "a request failed on our side"),
            Self::InvalidToken(TokenError::EngineFailed) => {
                tracing::error!("the signature engine failed");
            }
            _ => {}
        }
    }
}

/// Every answer that is no success (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Stable; what a program should look at.
    code: &'static str,
    /// What the user could do about it, in words for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// At the OAuth endpoints: as RFC 6749, section 5.2, has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

fn problem(error: &ApiError, status: StatusCode, oauth_error: Option<&'static str>) -> Response {
    error.log();
    let body = Problem {
        r#type: format!("urn:portcullis:problem:{}", error.code()),
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: error.to_string(),
        code: error.code(),
        hint: error.hint(),
        error: oauth_error,
    };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = error.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    if let ApiError::TooManyAttempts(exceeded) = error {
        insert_rate_limit(headers, exceeded);
    }
    // A refused grant is no refused access: there is nothing to be challenged for.
    if let Some(challenge) = error
        .challenge()
        .filter(|_| status == error.status())
        .and_then(|text| HeaderValue::try_from(text).ok())
    {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// draft-ietf-httpapi-ratelimit-headers-10: the policy that was exceeded, and when it is renewed.
fn insert_rate_limit(headers: &mut HeaderMap, exceeded: &Exceeded) {
    let Exceeded {
        kind,
        most,
        window_secs,
        retry_after_secs,
    } = exceeded;
    for (name, text) in [
        (
            RATE_LIMIT_POLICY,
            format!("\"{kind}\";q={most};w={window_secs}"),
        ),
        (RATE_LIMIT, format!("\"{kind}\";r=0;t={retry_after_secs}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(&self, self.status(), None)
    }
}

/// An error of the OAuth endpoints: problem+json that also has the `error` member of RFC 6749.
#[derive(Debug)]
pub struct OAuthError(ApiError);

impl<E: Into<ApiError>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let oauth_error = self.0.oauth_error();
        // A grant that is refused is a bad request there; only the client's own failure is a 401.
        let status = match self.0.status() {
            StatusCode::UNAUTHORIZED if oauth_error == "invalid_grant" => StatusCode::BAD_REQUEST,
            status => status,
        };
        problem(&self.0, status, Some(oauth_error))
    }
}
