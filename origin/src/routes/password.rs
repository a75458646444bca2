//! `POST /password/forgot`, `/password/reset` and `/password/change`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::no_store;
use crate::accounts::{self, Change};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Authenticated, JsonBody};
use crate::revocation::Receipt;
use crate::sessions::Caller;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/password/forgot", post(forget))
        .route("/password/reset", post(reset))
        .route("/password/change", post(change))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgetBody {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetBody {
    token: SecretString,
    new_password: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    current_password: SecretString,
    new_password: SecretString,
}

#[derive(Serialize)]
struct Forgotten {
    message: &'static str,
}

#[derive(Serialize)]
struct Reset {
    message: &'static str,
    revocation: Receipt,
}

#[derive(Serialize)]
struct Changed {
    message: &'static str,
    /// One for each other session.
    revocations: Vec<Receipt>,
}

async fn forget(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<ForgetBody>,
) -> Result<Response, ApiError> {
    accounts::forget_password(&app, &body.email, &caller).await?;
    Ok(no_store(Forgotten {
        message: "If there is an account with this address, a mail is on its way to it",
    }))
}

async fn reset(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<ResetBody>,
) -> Result<Response, ApiError> {
    let revocation =
        accounts::reset_password(&app, &body.token, &body.new_password, &caller).await?;
    Ok(no_store(Reset {
        message: "Password has been reset; every session has been closed",
        revocation,
    }))
}

async fn change(
    State(app): State<App>,
    bearer: Authenticated,
    caller: Caller,
    JsonBody(body): JsonBody<ChangeBody>,
) -> Result<Response, ApiError> {
    let change = Change {
        claims: &bearer.claims,
        sid: &bearer.sid,
        current_password: &body.current_password,
        new_password: &body.new_password,
    };
    let revocations = accounts::change_password(&app, &change, &caller).await?;
    Ok(no_store(Changed {
        message: "Password has been changed; every other session has been closed",
        revocations,
    }))
}
