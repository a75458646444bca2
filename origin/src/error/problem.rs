//! An error as an answer: problem+json (RFC 9457), and the headers that go with it in any form. A cause
//! inside is logged here, once, and never sent.

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

    /// What the user could do about it, in words for the user.
    fn hint(&self) -> Option<String> {
        match self {
            Self::PasswordTooCommon { hint } => Some(hint.clone()),
            _ => None,
        }
    }

    fn log(&self) {
        match self {
            Self::StoreUnavailable(cause) => {
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

/// Every answer that is no success, but at the OAuth endpoints (RFC 9457).
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
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = Problem {
            r#type: format!("urn:portcullis:problem:{}", self.code()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            code: self.code(),
            hint: self.hint(),
        };
        let content_type = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, content_type, Json(body)).into_response();
        complete(&mut response, &self);
        response
    }
}

/// What an error says beside its body, whatever form that has; and what it says to the log.
pub(super) fn complete(response: &mut Response, error: &ApiError) {
    error.log();
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = error.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    if let ApiError::TooManyAttempts(exceeded) = error {
        insert_rate_limit(headers, exceeded);
    }
    // Another status than its own: what was refused then is no access.
    if let Some(challenge) = error
        .challenge()
        .filter(|_| status == error.status())
        .and_then(|text| HeaderValue::try_from(text).ok())
    {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
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
