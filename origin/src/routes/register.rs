//! `POST /register`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use secrecy::SecretString;
use serde::Deserialize;

use super::{UserBody, no_store};
use crate::accounts::{self, Registration};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::limits;
use crate::sessions::Caller;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/register", post(register))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    email: String,
    password: SecretString,
    name: Option<String>,
}

async fn register(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let registration = Registration {
        email: &body.email,
        password: &body.password,
        name: body.name.as_deref(),
        roles: &[],
        address: Some(&caller.address),
    };
    let registered = accounts::register(&app, &registration).await;
    if let Err(ApiError::EmailTaken) = registered {
        limits::count_taken(&app, &caller.address).await?;
    }
    let user = registered?;
    Ok((StatusCode::CREATED, no_store(UserBody::from(user))).into_response())
}
