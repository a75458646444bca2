//! `POST /register`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{UserBody, no_store};
use crate::accounts::{self, Registration};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::limits;
use crate::sessions::Caller;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(register))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Registration)]
struct Body {
    email: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    name: Option<String>,
}

#[utoipa::path(
    post, path = "/register", tag = "accounts",
    request_body = Body,
    responses((status = 201, description = "The account", body = UserBody)),
)]
async fn register(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    limits::count_registration(&app, &caller.address).await?;
    let registration = Registration {
        email: &body.email,
        password: &body.password,
        name: body.name.as_deref(),
        roles: &[],
        actor: None,
        address: Some(&caller.address),
    };
    let registered = accounts::register(&app, &registration).await;
    if let Err(ApiError::EmailTaken) = registered {
        limits::count_taken(&app, &caller.address).await?;
    }
    let user = registered?;
    Ok((StatusCode::CREATED, no_store(UserBody::from(user))).into_response())
}
