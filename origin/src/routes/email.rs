//! `POST /email/verify`.

use axum::extract::State;
use axum::response::Response;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::accounts;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::sessions::Caller;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(verify))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailVerification)]
struct Body {
    #[schema(value_type = String, format = Password)]
    token: SecretString,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EmailVerified)]
struct Verified {
    message: &'static str,
}

#[utoipa::path(
    post, path = "/email/verify", tag = "accounts",
    request_body = Body,
    responses((status = 200, description = "The address is its owner's", body = Verified)),
)]
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
