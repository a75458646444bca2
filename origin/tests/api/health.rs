//! `GET /health`, `/health/live`, `/health/ready`.

use std::time::Duration;

use crate::harness::on_both_stores;

on_both_stores! {
    async fn readiness_names_each_part_and_the_lag(origin) {
        origin.publish().await;
        let answer = origin.get("/health/ready").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["status"], "ok");
        assert_eq!(answer.body["database"], "ok");
        let cache = if origin.stores.redis().is_some() { "ok" } else { "not_configured" };
        assert_eq!(answer.body["cache"], cache);
        assert_eq!(answer.body["publisher"]["status"], "ok");
        assert_eq!(answer.body["publisher"]["lag_ms"], 0);
        assert!(answer.body["code"].is_null() && answer.header("retry-after").is_empty());
    }

    async fn an_origin_without_a_living_list_is_not_ready(origin) {
        let answer = origin.get("/health/ready").await;
        assert_eq!((answer.status, &answer.body["publisher"]["status"]), (503, &"no_list".into()));
        assert_eq!(answer.code(), "no_list_yet");
        origin.publish().await;
        assert_eq!(origin.get("/health/ready").await.status, 200);
        origin.advance(Duration::from_secs(origin.app.config.list.lifetime_secs));
        let answer = origin.get("/health/ready").await;
        assert_eq!((answer.status, &answer.body["publisher"]["status"]), (503, &"list_ended".into()));
        assert_eq!(answer.body["database"], "ok");
    }

    async fn liveness_needs_no_store(origin) {
        origin.app.pool.close().await;
        assert_eq!(origin.get("/health/live").await.status, 200);
        let ready = origin.get("/health/ready").await;
        assert_eq!((ready.status, &ready.body["database"]), (503, &"unreachable".into()));
        assert_eq!(ready.code(), "store_unavailable");
        assert_eq!(ready.header("retry-after"), "2");
    }
}
