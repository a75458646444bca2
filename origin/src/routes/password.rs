//! `POST /password/forgot`, `/password/reset` and `/password/change`.

use axum::extract::State;
use axum::response::Response;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::accounts::{self, Change};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Authenticated, JsonBody};
use crate::revocation::Receipt;
use crate::sessions::Caller;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(forget))
        .routes(routes!(reset))
        .routes(routes!(change))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgottenPassword)]
struct ForgetBody {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
struct ResetBody {
    #[schema(value_type = String, format = Password)]
    token: SecretString,
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
struct ChangeBody {
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PasswordForgotten)]
struct Forgotten {
    message: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PasswordIsReset)]
struct Reset {
    message: &'static str,
    revocation: Receipt,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PasswordIsChanged)]
struct Changed {
    message: &'static str,
    /// One for each other session.
    revocations: Vec<Receipt>,
}

#[utoipa::path(
    post, path = "/password/forgot", tag = "accounts",
    request_body = ForgetBody,
    responses((status = 200, description = "The same, whether or not there is such an account", body = Forgotten)),
)]
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

#[utoipa::path(
    post, path = "/password/reset", tag = "accounts",
    request_body = ResetBody,
    responses((status = 200, description = "The new password holds, every session is closed", body = Reset)),
)]
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

#[utoipa::path(
    post, path = "/password/change", tag = "accounts", security(("bearer" = [])),
    request_body = ChangeBody,
    responses((status = 200, description = "The new password holds, every other session is closed", body = Changed)),
)]
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
