//! `POST /logout` and `POST /logout-all`. A 200 is a promise: the revocation is stored, and
//! `effective_by` says by when no edge lets the token pass, whatever fails from here on.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Authenticated;
use crate::revocation::Receipt;
use crate::sessions::{self, Caller};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(log_out))
        .routes(routes!(log_out_everywhere))
}

#[derive(Serialize, ToSchema)]
#[schema(as = LoggedOut)]
struct Body {
    message: &'static str,
    revocation: Receipt,
}

#[utoipa::path(
    post, path = "/logout", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "The session is closed; with its receipt", body = Body)),
)]
async fn log_out(
    State(app): State<App>,
    bearer: Authenticated,
    caller: Caller,
) -> Result<Response, ApiError> {
    let revocation = sessions::log_out(&app, &bearer.claims, &bearer.sid, &caller).await?;
    Ok(no_store(Body {
        message: "Successfully logged out",
        revocation,
    }))
}

#[utoipa::path(
    post, path = "/logout-all", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "Every session is closed; with its receipt", body = Body)),
)]
async fn log_out_everywhere(
    State(app): State<App>,
    bearer: Authenticated,
    caller: Caller,
) -> Result<Response, ApiError> {
    let revocation = sessions::log_out_everywhere(&app, &bearer.claims, &caller).await?;
    Ok(no_store(Body {
        message: "Successfully logged out from all sessions",
        revocation,
    }))
}
