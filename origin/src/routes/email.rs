//! `POST /email/verify`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::no_store;
use crate::accounts;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::sessions::Caller;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/email/verify", post(verify))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    token: SecretString,
}

#[derive(Serialize)]
struct Verified {
    message: &'static str,
}

async fn verify(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    accounts::verify_email(&app, &body.token, &caller).await?;
    Ok(no_store(Verified {
        message: "The e-mail address has been confirmed",
    }))
}
