//! `GET /revocations/{id}?wait=S`: how far a revocation has come, at once or when it has come as far
//! as this origin brings it.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{no_store, parse_row_id};
use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Authenticated, PathName};
use crate::publisher::deliveries::Waited;
use crate::revocation::{Progress, Reader, Receipt, find_receipt};
use crate::sessions::user_actor;

/// Below every proxy's usual patience, as on the pull lane.
const LONGEST_WAIT_SECS: u64 = 30;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Seconds that the caller would wait for the delivery.
    #[serde(default)]
    wait: u64,
}

#[utoipa::path(
    get, path = "/revocations/{id}", tag = "operator", security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "As the revocation was answered with"),
        ("wait" = Option<u64>, Query, maximum = 30, description = "Seconds to wait for the delivery"),
    ),
    responses((status = 200, description = "How far it has come", body = Receipt)),
)]
async fn receipt(
    State(app): State<App>,
    bearer: Authenticated,
    PathName(id): PathName,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(wish) = wish.map_err(|_| ApiError::InvalidQuery)?;
    if wish.wait > LONGEST_WAIT_SECS {
        return Err(ApiError::InvalidQuery);
    }
    let actor = user_actor(bearer.claims.sub.as_str());
    let reader = if bearer.claims.has_scope(OPERATOR) {
        Reader::Operator
    } else {
        Reader::Actor(&actor)
    };
    let id = parse_row_id(&id).ok_or(ApiError::NotFound)?;
    let wait = Duration::from_secs(wish.wait);
    Ok(no_store(find_when_done(&app, id, &reader, wait).await?))
}

/// The receipt as it is once there is no more to wait for, or `wait` is over, or the origin ends.
async fn find_when_done(
    app: &App,
    id: &str,
    reader: &Reader<'_>,
    wait: Duration,
) -> Result<Receipt, ApiError> {
    let deadline = Instant::now() + wait;
    let mut deliveries = app.deliveries.watch();
    loop {
        let receipt = find_receipt(app, id, reader)
            .await?
            .ok_or(ApiError::NotFound)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || is_done(app, &receipt) {
            return Ok(receipt);
        }
        // A wait that is over is worth a last look, too.
        let may_look_again = tokio::select! {
            waited = deliveries.next(left) => waited != Waited::Full,
            () = app.pull_lane.closed() => false,
        };
        if !may_look_again {
            return Ok(receipt);
        }
    }
}

/// Without KV the pull lane is all there is, and what is published is on it.
fn is_done(app: &App, receipt: &Receipt) -> bool {
    match receipt.status {
        Progress::Recorded => false,
        Progress::Published => app.config.lanes.kv.is_none(),
        Progress::Delivered => true,
    }
}
