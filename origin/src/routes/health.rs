//! `GET /health/live`: the process answers. `GET /health/ready` and `/health`: each part, and how far
//! publishing lags behind.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::UnixSeconds;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::canary_health::CanaryHealth;
use crate::app::App;
use crate::store::in_time::wait_at_most;
use crate::store::receipts::{self, Publishing};

/// Whoever asks may ask again this soon.
const RETRY_AFTER_SECS: &str = "2";
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ready))
        .routes(routes!(whole))
        .routes(routes!(live))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    /// Why it is not ready; absent while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    database: &'static str,
    cache: &'static str,
    publisher: PublisherHealth,
    canary: CanaryHealth,
}

#[derive(Serialize)]
struct PublisherHealth {
    status: PublisherStatus,
    /// Milliseconds that the oldest unpublished revocation has waited; null: not known.
    lag_ms: Option<u64>,
    /// Age of the newest list; null: there is none, or it is not known.
    list_age_ms: Option<u64>,
    /// Whether half of the newest list's life is over: what comes next may be too late.
    is_late: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum PublisherStatus {
    Ok,
    /// Nothing was ever published.
    NoList,
    /// The newest list is older than its lifetime: no edge decides by it any more.
    ListEnded,
    /// The database does not say.
    Unknown,
}

impl PublisherStatus {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::NoList => Some("no_list_yet"),
            Self::ListEnded => Some("list_ended"),
            Self::Unknown => Some("store_unavailable"),
        }
    }
}

#[utoipa::path(
    get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "The process answers")),
)]
async fn live() -> Response {
    Json(serde_json::json!({ "status": "ok" })).into_response()
}

/// Redis may be away: then we are slower, not unready.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses((status = 200, description = "Each part"), (status = 503, description = "Not ready, with each part")),
)]
async fn ready(State(app): State<App>) -> Response {
    let pool = app.pool.clone();
    let looking = async move { receipts::find_publishing(&pool).await };
    let (database, publisher) = match wait_at_most(PROBE_TIMEOUT, looking).await {
        Some(publishing) => ("ok", publisher_health(&app, publishing)),
        None => ("unreachable", UNKNOWN),
    };
    let can_sign = app.issuer.ring().signer(app.clock.now()).is_some();
    let no_key = (!can_sign).then_some("no_signing_key");
    let code = publisher.status.code().or(no_key);
    let canary = CanaryHealth::of(&app);
    let is_at_risk = publisher.is_late || canary.is_at_risk();
    let health = Health {
        status: match code {
            Some(_) => "unavailable",
            None if is_at_risk => "degraded",
            None => "ok",
        },
        code,
        canary,
        database,
        cache: cache_status(&app),
        publisher,
    };
    let no_store = [(CACHE_CONTROL, "no-store")];
    if code.is_none() {
        return (no_store, Json(health)).into_response();
    }
    let retry_after = [(RETRY_AFTER, RETRY_AFTER_SECS)];
    (
        StatusCode::SERVICE_UNAVAILABLE,
        no_store,
        retry_after,
        Json(health),
    )
        .into_response()
}

#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, description = "As `/health/ready`"), (status = 503, description = "Not ready")),
)]
async fn whole(app: State<App>) -> Response {
    ready(app).await
}

fn cache_status(app: &App) -> &'static str {
    match &app.cache {
        None => "not_configured",
        Some(cache) if cache.is_connected() => "ok",
        Some(_) => "unreachable",
    }
}

const UNKNOWN: PublisherHealth = PublisherHealth {
    status: PublisherStatus::Unknown,
    lag_ms: None,
    list_age_ms: None,
    is_late: false,
};

fn publisher_health(app: &App, publishing: Publishing) -> PublisherHealth {
    let now = app.clock.now();
    let millis_since = |at: UnixSeconds| now.as_millis().saturating_sub(at.as_millis());
    PublisherHealth {
        status: match publishing.newest_list {
            None => PublisherStatus::NoList,
            Some(list) if list.expires_at <= now => PublisherStatus::ListEnded,
            Some(_) => PublisherStatus::Ok,
        },
        lag_ms: Some(publishing.oldest_unpublished_at.map_or(0, millis_since)),
        list_age_ms: publishing
            .newest_list
            .map(|list| millis_since(list.issued_at)),
        is_late: publishing.newest_list.is_some_and(|list| {
            let half_life_secs = list.expires_at.secs_since(list.issued_at) / 2.0;
            now.secs_since(list.issued_at) > half_life_secs
        }),
    }
}
