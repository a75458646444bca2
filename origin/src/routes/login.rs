//! `POST /login`.

use axum::extract::State;
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::sessions::{self, Caller, Credentials, FIRST_PARTY, Renewal, TokenResponse, Wanted};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log_in))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LogIn)]
struct Body {
    email: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

#[utoipa::path(
    post, path = "/login", tag = "sessions",
    request_body = Body,
    responses((status = 200, description = "A session begins", body = TokenResponse)),
)]
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
