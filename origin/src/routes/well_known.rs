//! `GET /.well-known/jwks.json` (RFC 7517) and `/.well-known/oauth-authorization-server` (RFC 8414).
//! Both answer without any store.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::app::App;

const CACHED: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=300")];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route(
            "/.well-known/oauth-authorization-server",
            get(server_metadata),
        )
}

async fn jwks(State(app): State<App>) -> Response {
    (CACHED, Json(app.issuer.jwks())).into_response()
}

async fn server_metadata(State(app): State<App>) -> Response {
    let issuer = app.issuer.name();
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    let client_authentication = ["client_secret_basic", "client_secret_post"];
    let metadata = json!({
        "issuer": issuer,
        "jwks_uri": at("/.well-known/jwks.json"),
        "token_endpoint": at("/token"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": [],
        "scopes_supported": ["profile", "operator"],
        "token_endpoint_auth_methods_supported": client_authentication,
        "revocation_endpoint_auth_methods_supported": client_authentication,
        "introspection_endpoint_auth_methods_supported": client_authentication,
    });
    (CACHED, Json(metadata)).into_response()
}
