//! `POST /refresh`: a rotated pair, for sessions that were begun with `/login`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use secrecy::SecretString;
use serde::Deserialize;

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::sessions::{self, Caller, FIRST_PARTY, Presented};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/refresh", post(refresh))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    refresh_token: SecretString,
}

async fn refresh(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let presented = Presented {
        token: &body.refresh_token,
        client_id: FIRST_PARTY,
        scope: None,
    };
    Ok(no_store(
        sessions::refresh(&app, &presented, &caller).await?,
    ))
}
