//! The canary against doubles of an edge, and what `/health/ready` says of it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use origin::app::App;
use origin::canary::Canary;
use origin::config::Config;
use origin::publisher::{self, Publisher};
use origin::revocation;
use serde_json::json;
use shared::RevocationStatus;
use tower::ServiceExt;

use crate::harness::{Answer, Origin, nobody_listens, on_both_stores};

/// How a double answers on the status page.
#[derive(Clone, Copy)]
enum Manner {
    /// As an edge whose list is always the newest.
    Well,
    /// It never hears of a revocation.
    Deaf,
    /// It has no list.
    Closed,
}

on_both_stores! {
    async fn a_canary_that_is_refused_in_time_is_a_good_one(origin) {
        let app = watched(origin, Manner::Well).await;
        assert_eq!(ready(&app).await.body["canary"]["status"], "pending");
        Canary::new(&app).unwrap().unwrap().observe().await;
        let ready = ready(&app).await;
        assert_eq!((ready.status, &ready.body["status"]), (200, &"ok".into()), "{ready:?}");
        assert_eq!(ready.body["canary"]["status"], "ok");
        assert!(ready.body["canary"]["time_to_revoke_ms"].is_number());
        let metrics = origin.get("/metrics").await.raw;
        assert!(metrics.contains("portcullis_time_to_revoke_seconds_bucket{layer=\"refused\""), "{metrics}");
    }

    async fn its_user_is_made_once_and_leaves_no_session_open(origin) {
        let app = watched(origin, Manner::Well).await;
        for _ in 0..2 {
            // As after a restart.
            Canary::new(&app).unwrap().unwrap().observe().await;
        }
        let count = async |statement: &'static str| -> i64 {
            sqlx::query_scalar(statement).fetch_one(&app.pool).await.unwrap()
        };
        assert_eq!(count("SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(count("SELECT COUNT(*) FROM sessions").await, 2);
        assert_eq!(count("SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
        assert_eq!(count("SELECT COUNT(*) FROM refresh_tokens").await, 0);
    }

    async fn a_sick_edge_degrades_the_origin_and_does_not_take_it_away(origin) {
        for (manner, code) in [(Manner::Deaf, "bound_broken"), (Manner::Closed, "good_token_refused")] {
            let app = watched(origin, manner).await;
            Canary::new(&app).unwrap().unwrap().observe().await;
            let ready = ready(&app).await;
            assert_eq!((ready.status, &ready.body["status"]), (200, &"degraded".into()));
            assert_eq!(ready.body["canary"]["code"], code, "{ready:?}");
            assert_eq!(ready.body["canary"]["edge"], app.config.canary.edges[0].as_str().trim_end_matches('/'));
        }
    }

    async fn an_edge_that_is_not_there_is_named(origin) {
        let app = watched(origin, Manner::Well).await;
        let (_held, address) = nobody_listens();
        let app = watching(&app, &format!("http://{address}"));
        Canary::new(&app).unwrap().unwrap().observe().await;
        let ready = ready(&app).await;
        assert_eq!((ready.status, &ready.body["status"]), (200, &"degraded".into()));
        assert_eq!(ready.body["canary"]["code"], "edge_unreachable");
    }

    async fn without_edges_there_is_no_canary(origin) {
        assert!(Canary::new(&origin.app).unwrap().is_none());
        publish(&origin.app).await;
        assert_eq!(ready(&origin.app).await.body["canary"]["status"], "not_configured");
    }
}

/// The origin with a list, and with a canary that watches a double.
async fn watched(origin: &Origin, manner: Manner) -> App {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let edge = Router::new()
        .route("/.portcullis/status", get(answer))
        .with_state((origin.app.clone(), manner));
    tokio::spawn(async move { axum::serve(listener, edge).await.unwrap() });
    let app = watching(&origin.app, &url);
    publish(&app).await;
    app
}

/// Its lists live for two seconds, so that a test need not wait long for their end.
fn watching(app: &App, url: &str) -> App {
    let mut config = Config::clone(&app.config);
    config.canary.edges = vec![url.parse().unwrap()];
    config.list.heartbeat_secs = 1;
    config.list.lifetime_secs = 2;
    App {
        config: Arc::new(config),
        ..app.clone()
    }
}

async fn answer(State((app, manner)): State<(App, Manner)>, headers: HeaderMap) -> Response {
    let bearer = headers["authorization"].to_str().unwrap();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let valid = app.issuer.verify(token, app.clock.now()).await.unwrap();
    let status = revocation::status(&app, valid.claims()).await.unwrap();
    let (status, code) = match (manner, status) {
        (Manner::Closed, _) => (StatusCode::SERVICE_UNAVAILABLE, "list_absent"),
        (Manner::Deaf, _) | (Manner::Well, RevocationStatus::NotRevoked) => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        (Manner::Well, _) => (StatusCode::UNAUTHORIZED, "token_revoked"),
    };
    (status, Json(json!({ "code": code }))).into_response()
}

async fn ready(app: &App) -> Answer {
    let request = Request::get("/health/ready").body(Body::empty()).unwrap();
    let router = origin::router::router(app.clone());
    Answer::read(router.oneshot(request).await.unwrap()).await
}

async fn publish(app: &App) {
    let publisher = Publisher::new(app, app.pool.clone(), "replica".to_owned()).unwrap();
    publisher::start(&publisher).await.unwrap();
}
