//! `POST /login`.

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
use crate::sessions::{self, Caller, Credentials, FIRST_PARTY, Renewal, Wanted};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/login", post(log_in))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    email: String,
    password: SecretString,
}

async fn log_in(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let credentials = Credentials {
        email: &body.email,
        password: &body.password,
        client_id: FIRST_PARTY,
        scope: Wanted::Everything,
        renewal: Renewal::ByRefreshToken,
    };
    Ok(no_store(
        sessions::log_in(&app, &credentials, &caller).await?,
    ))
}
