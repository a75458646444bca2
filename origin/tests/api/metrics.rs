//! `GET /metrics`. All tests of this binary count in one process; what a process of its own has to
//! show is tested in `tests/servers`.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::harness::{Origin, eventually, on_both_stores};

on_both_stores! {
    async fn metrics_count_requests_by_route(origin) {
        origin.get("/health/live").await;
        let answer = origin.get("/metrics").await;
        assert_eq!(answer.status, 200);
        assert!(answer.raw.contains("portcullis_http_requests_total{"), "{}", answer.raw);
        assert!(answer.raw.contains("route=\"/health/live\""), "{}", answer.raw);
    }

    async fn a_made_up_method_makes_no_time_series_of_its_own(origin) {
        let request = Request::builder().method("MADEUP").uri("/health/live");
        assert_eq!(origin.send(request.body(Body::empty()).unwrap()).await.status, 405);
        let answer = origin.get("/metrics").await;
        assert!(answer.raw.contains("method=\"other\""), "{}", answer.raw);
        assert!(!answer.raw.contains("MADEUP"), "{}", answer.raw);
    }

    async fn a_revocation_that_no_list_carries_grows_the_lag(origin) {
        let tokens = origin.user("ada@example.org").await;
        assert_eq!(origin.post_as("/logout", &tokens.access).await.status, 200);
        origin.advance(Duration::from_mins(50));
        // Others, with their own clocks, set the same gauge.
        eventually(async || gauge(origin, "portcullis_publishing_lag_seconds").await >= 3000.0).await;
    }

    async fn a_database_that_is_gone_makes_its_gauges_unknown_and_leaves_the_age_of_the_list(origin) {
        origin.publish().await;
        origin.app.pool.close().await;
        eventually(async || gauge(origin, "portcullis_publishing_lag_seconds").await.is_nan()).await;
        origin.advance(Duration::from_mins(50));
        eventually(async || gauge(origin, "portcullis_list_age_seconds").await >= 3000.0).await;
    }
}

/// 0 where there is no such series yet.
async fn gauge(origin: &Origin, series: &str) -> f64 {
    let answer = origin.get("/metrics").await;
    let mut lines = answer.raw.lines();
    lines
        .find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
        .unwrap_or(0.0)
}
