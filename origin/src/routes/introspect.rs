//! `POST /introspect` (RFC 7662): for clients, and for edges that have no fresh list. Whatever is not
//! active, not known, or not the caller's business is `{"active": false}` and nothing more.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use serde_json::json;
use shared::{Claims, RevocationStatus, TokenError};

use super::no_store;
use crate::app::App;
use crate::error::{ApiError, OAuthError};
use crate::extract::{Edge, Form, authenticate_client};
use crate::revocation;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/introspect", post(introspect))
}

/// Whose tokens the caller may ask about.
enum Sight {
    All,
    OfClient(String),
}

async fn introspect(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Form, ApiError>,
) -> Result<Response, OAuthError> {
    let form = form?;
    let sight = authorize(&app, &headers, &form).await?;
    let claims = find_active(&app, form.require("token")?).await?;
    let visible = claims.filter(|claims| match &sight {
        Sight::All => true,
        Sight::OfClient(id) => claims.client_id.as_ref() == Some(id),
    });
    Ok(match &visible {
        Some(claims) => no_store(Known::of(claims)),
        None => no_store(json!({ "active": false })),
    })
}

async fn authorize(app: &App, headers: &HeaderMap, form: &Form) -> Result<Sight, ApiError> {
    if Edge::identify(app, headers).is_ok() {
        return Ok(Sight::All);
    }
    let client = authenticate_client(app, headers, form).await?;
    Ok(if client.may_introspect_all {
        Sight::All
    } else {
        Sight::OfClient(client.id)
    })
}

async fn find_active(app: &App, token: &str) -> Result<Option<Claims>, ApiError> {
    let valid = match app.issuer.verify(token, app.clock.now()).await {
        Ok(valid) => valid,
        // Our own fault: "inactive" would be a lie.
        Err(TokenError::EngineFailed) => {
            return Err(ApiError::InvalidToken(TokenError::EngineFailed));
        }
        Err(_) => return Ok(None),
    };
    let claims = valid.claims().clone();
    match revocation::status(app, &claims).await? {
        RevocationStatus::NotRevoked => Ok(Some(claims)),
        RevocationStatus::TokenRevoked
        | RevocationStatus::SessionRevoked
        | RevocationStatus::UserCutOff
        | RevocationStatus::IssuerCutOff => Ok(None),
    }
}

/// RFC 7662, section 2.2; a member that the token has nothing for is left out.
#[derive(Serialize)]
struct Known<'a> {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: &'a Claims,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

impl<'a> Known<'a> {
    fn of(claims: &'a Claims) -> Self {
        Self {
            active: true,
            token_type: "Bearer",
            claims,
            username: claims.email.as_deref(),
        }
    }
}
