//! `GET /.well-known/jwks.json` (RFC 7517) and `/.well-known/oauth-authorization-server` (RFC 8414).
//! Both answer without any store.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::PathName;
use crate::grant_type::GrantType;
use crate::keys::turn::JWKS_MAX_AGE_SECS;
use crate::sessions::scope;

/// As long as `keys::turn` counts on.
const CACHED: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=300")];
const _: () = assert!(JWKS_MAX_AGE_SECS == 300, "CACHED says another number");
const CLIENT_AUTHENTICATION: [&str; 2] = ["client_secret_basic", "client_secret_post"];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(jwks))
        .routes(routes!(server_metadata))
        .routes(routes!(server_metadata_of_path))
}

#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "oauth",
    responses((status = 200, description = "RFC 7517")),
)]
async fn jwks(State(app): State<App>) -> Response {
    (CACHED, Json(app.issuer.jwks())).into_response()
}

#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "oauth",
    responses((status = 200, description = "RFC 8414")),
)]
async fn server_metadata(State(app): State<App>) -> Response {
    (CACHED, Json(Metadata::of(&app))).into_response()
}

/// Where clients look for an issuer that has a path (RFC 8414, section 3.1).
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server/{*issuer_path}", tag = "oauth",
    params(("issuer_path" = String, Path, description = "The path of the issuer")),
    responses((status = 200, description = "RFC 8414, for an issuer that has a path")),
)]
async fn server_metadata_of_path(
    State(app): State<App>,
    PathName(path): PathName,
) -> Result<Response, ApiError> {
    let issuer = Url::parse(app.issuer.name()).map_err(|_| ApiError::NotFound)?;
    if issuer.path().trim_matches('/') == path {
        Ok(server_metadata(State(app)).await)
    } else {
        Err(ApiError::NotFound)
    }
}

/// RFC 8414, section 2; RFC 7009 and RFC 7662 add the endpoints that bear their names. There is no
/// authorization endpoint, hence no response type.
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    jwks_uri: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    grant_types_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 0],
    scopes_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
}

impl<'a> Metadata<'a> {
    fn of(app: &'a App) -> Self {
        let issuer = app.issuer.name();
        let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
        Self {
            issuer,
            jwks_uri: at("/.well-known/jwks.json"),
            token_endpoint: at("/token"),
            revocation_endpoint: at("/revoke"),
            introspection_endpoint: at("/introspect"),
            grant_types_supported: GrantType::offered(&app.config)
                .map(GrantType::as_str)
                .collect(),
            response_types_supported: [],
            scopes_supported: [scope::PROFILE, OPERATOR],
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
        }
    }
}
