//! `GET /revocations/{id}`, at once and with `?wait=`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use origin::app::App;
use origin::clock::Clock as _;
use origin::config::{Config, KvConfig};
use origin::publisher::Publisher;
use origin::publisher::follow::follow_deliveries;
use tower::ServiceExt;

use crate::harness::{
    Answer, Origin, eventually, may_lie_idle, on_both_stores, with_postgres_and_redis,
};

on_both_stores! {
    async fn whoever_caused_it_reads_the_receipt_with_a_new_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        let again = origin.log_in("ada@example.org").await;
        let receipt = receipt(origin, &logged_out, &again.access).await;
        assert_eq!(receipt.status, 200, "{receipt:?}");
        assert_eq!(receipt.body["status"], "recorded");
        assert_eq!(receipt.body["recorded_at"], logged_out.body["revocation"]["recorded_at"]);
        for not_yet in ["version", "delivered_at", "seen_at_edge_at"] {
            assert!(receipt.body[not_yet].is_null(), "{receipt:?}");
        }
    }

    async fn to_others_there_is_no_such_receipt_but_to_operators_there_is(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        let bob = origin.user("bob@example.org").await;
        assert_eq!(receipt(origin, &logged_out, &bob.access).await.code(), "not_found");
        let operator = origin.operator("op@example.org").await;
        assert_eq!(receipt(origin, &logged_out, &operator.access).await.status, 200);
        assert_eq!(origin.get_as("/revocations/none", &operator.access).await.status, 404);
    }

    async fn a_published_one_says_in_which_list_and_by_when_exactly(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        publish(origin, 7).await;
        let again = origin.log_in("ada@example.org").await;
        let receipt = receipt(origin, &logged_out, &again.access).await;
        assert_eq!(receipt.body["version"], 7);
        assert_eq!(receipt.body["status"], "delivered");
        assert_eq!(receipt.body["effective_by"], "2100-01-01T00:00:00.000Z");
        assert_eq!(receipt.body["delivered_at"], "2027-01-01T00:00:00.000Z");
    }

    async fn a_wait_ends_with_the_delivery(origin) {
        let (app, router) = with_kv(origin);
        let (path, token) = logged_out_again(origin).await;
        let answer = tokio::spawn(get(router, format!("{path}?wait=30"), token));
        eventually(async || app.deliveries.waiters() == 1).await;
        publish(origin, 7).await;
        let publisher = Publisher::new(&app, app.pool.clone(), "replica".to_owned()).unwrap();
        follow_deliveries(&publisher).await.unwrap();
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, &answer.body["status"]), (200, &"delivered".into()));
        assert_eq!(app.deliveries.waiters(), 0);
    }

    async fn a_wait_that_is_over_says_how_far_it_has_come(origin) {
        let (_, router) = with_kv(origin);
        let (path, token) = logged_out_again(origin).await;
        let answer = get(router, format!("{path}?wait=1"), token).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &"recorded".into()));
    }

    async fn a_wait_costs_nothing_once_its_client_has_gone(origin) {
        let (app, router) = with_kv(origin);
        let (path, token) = logged_out_again(origin).await;
        let answer = tokio::spawn(get(router, format!("{path}?wait=30"), token));
        eventually(async || app.deliveries.waiters() == 1).await;
        answer.abort();
        eventually(async || app.deliveries.waiters() == 0).await;
    }

    async fn the_end_of_the_origin_is_the_end_of_a_wait(origin) {
        let (app, router) = with_kv(origin);
        let (path, token) = logged_out_again(origin).await;
        let answer = tokio::spawn(get(router, format!("{path}?wait=30"), token));
        eventually(async || app.deliveries.waiters() == 1).await;
        app.pull_lane.close();
        assert_eq!(answer.await.unwrap().body["status"], "recorded");
    }

    async fn what_has_come_to_its_end_is_not_waited_for(origin) {
        let (path, token) = logged_out_again(origin).await;
        publish(origin, 7).await;
        // Without KV, to be published is all that there is to come to.
        sqlx::query("UPDATE list_heads SET delivered_at = NULL")
            .execute(&origin.app.pool)
            .await
            .unwrap();
        let answer = origin.get_as(&format!("{path}?wait=30"), &token).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &"published".into()));
        let unknown = origin.get_as("/revocations/none?wait=30", &token).await;
        assert_eq!(unknown.code(), "not_found");
    }

    async fn a_wait_that_is_not_understood_is_refused(origin) {
        let (path, token) = logged_out_again(origin).await;
        for query in ["wait=31", "wait=-1", "wait=x", "wait=", "wait=1&wait=2", "patience=1"] {
            let answer = origin.get_as(&format!("{path}?{query}"), &token).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid_query"), "{query}");
        }
    }
}

/// Lists go out while a log-out waits for whoever holds its session, and tokens may be made.
#[tokio::test]
async fn the_bound_of_a_log_out_that_had_to_wait_counts_from_its_end() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        publish(&origin, 7).await;
        // A refresh that makes a token two seconds from now.
        let last_token_at = origin.clock.now().plus_secs(2);
        let mut holder = origin.app.pool.begin().await.unwrap();
        may_lie_idle(&mut holder).await;
        sqlx::query("UPDATE sessions SET last_seen_at = $1")
            .bind(last_token_at.as_millis().cast_signed())
            .execute(&mut *holder)
            .await
            .unwrap();
        let release = async {
            eventually(async || is_anybody_waiting_for_a_row(&origin).await).await;
            origin.clock.advance(Duration::from_secs(3));
            holder.commit().await.unwrap();
        };
        let (answer, ()) = tokio::join!(origin.post_as("/logout", &tokens.access), release);
        // The list's end, a heartbeat, and the wait.
        let effective_by = &answer.body["revocation"]["effective_by"];
        assert_eq!(effective_by, "2100-01-01T00:00:18.000Z", "{answer:?}");
        let retain_until: i64 = sqlx::query_scalar("SELECT retain_until FROM revocations")
            .fetch_one(&origin.app.pool)
            .await
            .unwrap();
        let last_exp = last_token_at.plus_secs(3600);
        let needed_until = shared::retain_until(last_exp).as_millis().cast_signed();
        assert_eq!(retain_until, needed_until);
    })
    .await;
}

async fn is_anybody_waiting_for_a_row(origin: &Origin) -> bool {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(&origin.app.pool)
    .await
    .unwrap();
    waiting > 0
}

/// The same origin, with a KV that it never reaches.
fn with_kv(origin: &Origin) -> (App, Router) {
    let mut config = Config::clone(&origin.app.config);
    config.lanes.kv = Some(KvConfig {
        api_url: "http://127.0.0.1:9/".parse().unwrap(),
        namespace_id: "lists".to_owned(),
        api_token: None,
    });
    let app = App {
        config: Arc::new(config),
        ..origin.app.clone()
    };
    (app.clone(), origin::router::router(app))
}

/// The path of a logout's receipt, and a token of the same user that may read it.
async fn logged_out_again(origin: &Origin) -> (String, String) {
    let tokens = origin.user("ada@example.org").await;
    let logged_out = origin.post_as("/logout", &tokens.access).await;
    let id = logged_out.body["revocation"]["id"].as_str().unwrap();
    let again = origin.log_in("ada@example.org").await;
    (format!("/revocations/{id}"), again.access)
}

async fn get(router: Router, path: String, token: String) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    Answer::read(router.oneshot(request).await.unwrap()).await
}

async fn receipt(origin: &Origin, logged_out: &Answer, token: &str) -> Answer {
    let id = logged_out.body["revocation"]["id"].as_str().unwrap();
    origin.get_as(&format!("/revocations/{id}"), token).await
}

/// What the publisher writes, by hand: it has tests of its own.
async fn publish(origin: &Origin, version: i64) {
    let millis = |text| {
        origin::iso_time::parse(text)
            .unwrap()
            .as_millis()
            .cast_signed()
    };
    sqlx::query(
        "INSERT INTO list_heads (version, issued_at, expires_at, grace_secs, head, tail_epoch,
                                 tail_bytes, predecessors_end_at, delivered_at)
         VALUES ($1, 0, 0, 0, '', 0, 0, $2, $3)",
    )
    .bind(version)
    .bind(millis("2100-01-01T00:00:00Z"))
    .bind(millis("2027-01-01T00:00:00Z"))
    .execute(&origin.app.pool)
    .await
    .unwrap();
    sqlx::query("UPDATE revocations SET version = $1")
        .bind(version)
        .execute(&origin.app.pool)
        .await
        .unwrap();
}
