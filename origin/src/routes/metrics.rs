//! `GET /metrics`, in Prometheus' text format. What is a state and no event is looked up here, when
//! somebody asks.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use metrics::gauge;
use shared::UnixSeconds;
use sqlx::AnyPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiError;
use crate::store::in_time::wait_at_most;
use crate::store::list_travel;
use crate::store::receipts::{self, Publishing};
use crate::{measures, telemetry};

/// What the database does not say by then is not known; the rest must not wait for it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus' text format", content_type = "text/plain")),
)]
async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let recorder =
        measures::recorder().ok_or(ApiError::Internal("there is no metrics recorder"))?;
    metrics::counter!("portcullis_log_lines_lost_total").absolute(telemetry::lost_lines());
    observe_connections(&app);
    observe_publishing(&app).await;
    let headers = [
        (CONTENT_TYPE, "text/plain; version=0.0.4"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, recorder.render()).into_response())
}

fn observe_connections(app: &App) {
    let all = app.pool.size();
    let idle = u32::try_from(app.pool.num_idle()).unwrap_or(all).min(all);
    gauge!("portcullis_database_connections", "state" => "in_use").set(f64::from(all - idle));
    gauge!("portcullis_database_connections", "state" => "idle").set(f64::from(idle));
    let most = app.pool.options().get_max_connections();
    gauge!("portcullis_database_connections_most").set(f64::from(most));
    if let Some(cache) = &app.cache {
        let connected = u8::from(cache.is_connected());
        gauge!("portcullis_redis_connected").set(f64::from(connected));
    }
    let waiters = u32::try_from(app.deliveries.waiters()).unwrap_or(u32::MAX);
    gauge!("portcullis_receipt_waiters").set(f64::from(waiters));
}

/// How far publishing is behind, as the database has it: this replica may not be the one that
/// publishes.
struct Lags {
    publishing: Publishing,
    undelivered_since: Option<UnixSeconds>,
}

async fn observe_publishing(app: &App) {
    let looking = find_lags(app.pool.clone(), app.config.lanes.kv.is_some());
    let lags = wait_at_most(PROBE_TIMEOUT, looking).await;
    let now = app.clock.now();
    let age_secs = |at: UnixSeconds| now.secs_since(at).max(0.0);
    let unless_nan = |secs: Option<f64>| secs.unwrap_or(f64::NAN);
    let lag = lags.as_ref().map(|lags| {
        let oldest = lags.publishing.oldest_unpublished_at;
        oldest.map_or(0.0, age_secs)
    });
    gauge!("portcullis_publishing_lag_seconds").set(unless_nan(lag));
    // The age grows where the database is away, too: that is when lists die.
    let newest_made_at = match &lags {
        Some(lags) => lags.publishing.newest_list.map(|list| list.issued_at),
        None => app.pull_lane.newest().map(|list| list.list().issued_at),
    };
    let list_age = newest_made_at.map(age_secs);
    gauge!("portcullis_list_age_seconds").set(unless_nan(list_age));
    if app.config.lanes.kv.is_some() {
        let kv_lag = lags.map(|lags| lags.undelivered_since.map_or(0.0, age_secs));
        gauge!("portcullis_kv_lag_seconds").set(unless_nan(kv_lag));
    }
}

async fn find_lags(pool: AnyPool, has_kv: bool) -> sqlx::Result<Lags> {
    Ok(Lags {
        publishing: receipts::find_publishing(&pool).await?,
        undelivered_since: if has_kv {
            list_travel::find_undelivered_since(&pool).await?
        } else {
            None
        },
    })
}
