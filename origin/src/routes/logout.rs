//! `POST /logout` and `POST /logout-all`. A 200 is a promise: the revocation is stored, and
//! `effective_by` says by when no edge lets the token pass, whatever fails from here on.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Authenticated;
use crate::revocation::Receipt;
use crate::sessions::{self, Caller};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/logout", post(log_out))
        .route("/logout-all", post(log_out_everywhere))
}

#[derive(Serialize)]
struct Body {
    message: &'static str,
    revocation: Receipt,
}

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
