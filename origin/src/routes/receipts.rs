//! `GET /revocations/{id}`: how far a revocation has come.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{no_store, parse_row_id};
use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Authenticated, PathName};
use crate::revocation::{Reader, find_receipt};
use crate::sessions::user_actor;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/revocations/{id}", get(receipt))
}

async fn receipt(
    State(app): State<App>,
    bearer: Authenticated,
    PathName(id): PathName,
) -> Result<Response, ApiError> {
    let actor = user_actor(bearer.claims.sub.as_str());
    let reader = if bearer.claims.has_scope(OPERATOR) {
        Reader::Operator
    } else {
        Reader::Actor(&actor)
    };
    let id = parse_row_id(&id).ok_or(ApiError::NotFound)?;
    let receipt = find_receipt(&app, id, &reader)
        .await?
        .ok_or(ApiError::NotFound)?;
    Ok(no_store(receipt))
}
