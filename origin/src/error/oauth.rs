//! An error of the token, revocation and introspection endpoints: JSON with the members of RFC 6749,
//! section 5.2, which clients look for and nothing else, and our own `code`.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::PRAGMA;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::challenge::printable;
use super::problem::complete;

/// RFC 6749, section 5.2; RFC 7009, section 2.2.1, and RFC 7662, section 2.3, refer to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthErrorBody {
    /// As the standard names it: several of ours are one of these.
    error: &'static str,
    /// In words, for whoever writes the client.
    error_description: String,
    /// Stable; says more exactly than `error` what it was.
    code: &'static str,
}

/// An error as the OAuth endpoints answer it.
#[derive(Debug)]
pub struct OAuthError(ApiError);

impl<E: Into<ApiError>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let error = name(&self.0);
        let body = OAuthErrorBody {
            error,
            error_description: printable(&self.0.to_string()),
            code: self.0.code(),
        };
        // A grant that is refused is a bad request there, and nothing to be challenged for; only the
        // client's own failure is a 401.
        let status = match self.0.status() {
            StatusCode::UNAUTHORIZED if error == "invalid_grant" => StatusCode::BAD_REQUEST,
            status => status,
        };
        let mut response = (status, [(PRAGMA, "no-cache")], Json(body)).into_response();
        complete(&mut response, &self.0);
        response
    }
}

/// The `error` of this one.
fn name(error: &ApiError) -> &'static str {
    match error {
        ApiError::InvalidClient => "invalid_client",
        ApiError::UnauthorizedClient => "unauthorized_client",
        ApiError::UnsupportedGrantType => "unsupported_grant_type",
        ApiError::InvalidScope => "invalid_scope",
        _ => match error.status() {
            StatusCode::UNAUTHORIZED => "invalid_grant",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                "temporarily_unavailable"
            }
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        },
    }
}
