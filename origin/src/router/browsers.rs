//! What browsers are told: which pages may ask (CORS, off unless configured), and to make nothing of
//! an answer but what it says it is.

use axum::http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use tower_http::cors::CorsLayer;

use crate::config::Config;

const FIXED: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// No cookie is ever asked for, so pages are allowed no credentials but the header they set.
pub(super) fn cors(config: &Config) -> CorsLayer {
    let origins = config
        .http
        .cors_origins
        .iter()
        .filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([
            RETRY_AFTER,
            WWW_AUTHENTICATE,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("x-request-id"),
        ])
}

/// Says that only https is meant, where the issuer says so.
pub(super) fn protect(config: &Config, mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if config.tokens.issuer.starts_with("https:") {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
    response
}
