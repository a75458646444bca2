//! `GET /health/live`: the process answers. `GET /health/ready` and `/health`: each part, and how far
//! publishing lags behind.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use shared::UnixSeconds;

use crate::app::App;
use crate::store::receipts::{self, Publishing};

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    database: &'static str,
    cache: &'static str,
    publisher: PublisherHealth,
}

#[derive(Serialize, Default)]
struct PublisherHealth {
    /// Milliseconds that the oldest unpublished revocation has waited; null: not known.
    lag_ms: Option<u64>,
    /// Age of the newest list; null: there is none, or it is not known.
    list_age_ms: Option<u64>,
}

async fn live() -> Response {
    Json(serde_json::json!({ "status": "ok" })).into_response()
}

/// Redis may be away: then we are slower, not unready.
async fn ready(State(app): State<App>) -> Response {
    let publishing =
        tokio::time::timeout(PROBE_TIMEOUT, receipts::find_publishing(&app.pool)).await;
    let (code, status, database, publisher) = match publishing {
        Ok(Ok(publishing)) => (
            StatusCode::OK,
            "ok",
            "ok",
            publisher_health(&app, publishing),
        ),
        Ok(Err(_)) | Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "unreachable",
            PublisherHealth::default(),
        ),
    };
    let cache = match &app.cache {
        None => "not_configured",
        Some(cache) if cache.is_connected() => "ok",
        Some(_) => "unreachable",
    };
    (
        code,
        Json(Health {
            status,
            database,
            cache,
            publisher,
        }),
    )
        .into_response()
}

fn publisher_health(app: &App, publishing: Publishing) -> PublisherHealth {
    let now = app.clock.now().as_millis();
    let since = |at: UnixSeconds| now.saturating_sub(at.as_millis());
    PublisherHealth {
        lag_ms: Some(publishing.oldest_unpublished_at.map_or(0, since)),
        list_age_ms: publishing.newest_list_at.map(since),
    }
}
