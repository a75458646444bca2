//! `POST /refresh`: a rotated pair, for sessions that were begun with `/login`.

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
use crate::sessions::{self, Caller, FIRST_PARTY, Presented, TokenResponse};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(refresh))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh)]
struct Body {
    #[schema(value_type = String, format = Password)]
    refresh_token: SecretString,
}

#[utoipa::path(
    post, path = "/refresh", tag = "sessions",
    request_body = Body,
    responses((status = 200, description = "A rotated pair", body = TokenResponse)),
)]
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
