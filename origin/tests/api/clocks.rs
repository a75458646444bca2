//! Replicas whose clocks differ: what one of them ends stays ended, though another, which is ahead,
//! made the last token.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use origin::clock::Clock;
use serde_json::json;
use shared::LEEWAY_SECS;

use crate::harness::{
    Answer, CLIENT_SECRET, Origin, PASSWORD, Tokens, claims, on_both_stores, revoke,
};

/// How far the other replica is ahead.
const AHEAD: Duration = Duration::from_secs(20);

on_both_stores! {
    async fn ending_a_user_ends_tokens_of_a_replica_that_is_ahead(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let refreshed = refresh_ahead(origin, &ada).await;
        let sub = &claims(&ada.access)["sub"];
        revoke(origin, &operator, &json!({"scope": "user", "name": sub, "reason": "stolen"})).await;
        for tokens in [&ada, &refreshed] {
            assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
        }
    }

    async fn ending_everyone_ends_tokens_of_a_replica_that_is_ahead(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let refreshed = refresh_ahead(origin, &ada).await;
        revoke(origin, &operator, &json!({"scope": "issuer", "reason": "the key leaked"})).await;
        assert_eq!(origin.get_as("/me", &refreshed.access).await.code(), "token_revoked");
    }

    async fn ending_everyone_ends_a_clients_own_tokens_of_a_replica_that_is_ahead(origin) {
        let operator = origin.operator("op@example.org").await;
        origin.insert_client("reports", &["client_credentials"], true).await;
        origin.advance(AHEAD);
        let token = client_token(origin, "reports").await;
        origin.clock.step_back(AHEAD);
        assert!(is_active(origin, "reports", &token).await);
        revoke(origin, &operator, &json!({"scope": "issuer", "reason": "the key leaked"})).await;
        assert!(!is_active(origin, "reports", &token).await);
    }

    async fn a_clock_that_was_a_day_ahead_keeps_nobody_out_for_a_day(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let day = Duration::from_hours(24);
        origin.advance(day);
        assert_eq!(origin.refresh(&ada.refresh).await.status, 200);
        origin.clock.step_back(day);
        revoke(origin, &operator, &json!({"scope": "issuer", "reason": "the key leaked"})).await;
        assert_eq!(origin.try_log_in("ada@example.org").await.code(), "cut_off_ahead");
        origin.advance(Duration::from_secs(121));
        assert_eq!(origin.try_log_in("ada@example.org").await.status, 200);
    }

    async fn the_end_of_a_clients_token_by_its_session_is_remembered_until_it_is_dead(origin) {
        let operator = origin.operator("op@example.org").await;
        origin.insert_client("reports", &["client_credentials"], true).await;
        origin.advance(AHEAD);
        let token = client_token(origin, "reports").await;
        origin.clock.step_back(AHEAD);
        let sid = claims(&token)["sid"].as_str().unwrap().to_owned();
        revoke(origin, &operator, &json!({"scope": "session", "name": sid, "reason": "stolen"})).await;
        let exp = claims(&token)["exp"].as_u64().unwrap();
        assert!(kept_until(origin, &sid).await >= (exp + LEEWAY_SECS) * 1000);
    }

    async fn ending_a_user_ends_tokens_of_sessions_that_are_closed_already(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let sub = claims(&ada.access)["sub"].clone();
        let refreshed = refresh_ahead(origin, &ada).await;
        origin.advance(Duration::from_secs(1));
        // Closes the session, and leaves the token that is dated later.
        let before = origin::iso_time::format(origin.clock.now());
        revoke(origin, &operator, &json!({"scope": "user", "name": sub, "before": before, "reason": "test"})).await;
        assert_eq!(origin.get_as("/me", &refreshed.access).await.status, 200);
        revoke(origin, &operator, &json!({"scope": "user", "name": sub, "reason": "stolen"})).await;
        assert_eq!(origin.get_as("/me", &refreshed.access).await.code(), "all_sessions_revoked");
    }

    async fn the_end_of_a_session_is_remembered_until_its_last_token_is_dead(origin) {
        let operator = origin.operator("op@example.org").await;
        for (number, way) in ["logout", "sessions", "admin", "password"].into_iter().enumerate() {
            let email = format!("ada{number}@example.org");
            let ada = origin.user(&email).await;
            let refreshed = refresh_ahead(origin, &ada).await;
            let sid = claims(&ada.access)["sid"].as_str().unwrap().to_owned();
            let answer = match way {
                "logout" => origin.post_as("/logout", &ada.access).await,
                "sessions" => delete(origin, &format!("/sessions/{sid}"), &ada).await,
                "password" => {
                    let asking = origin.log_in(&email).await;
                    let body = json!({"current_password": PASSWORD, "new_password": "another horse of a test"});
                    origin.post_json_as("/password/change", &asking.access, &body).await
                }
                _ => {
                    let body = json!({"scope": "session", "name": sid, "reason": "stolen"});
                    revoke(origin, &operator, &body).await
                }
            };
            assert!(answer.status < 300, "{way}: {answer:?}");
            let last_exp = claims(&refreshed.access)["exp"].as_u64().unwrap();
            let kept_until = kept_until(origin, &sid).await;
            assert!(kept_until >= (last_exp + LEEWAY_SECS) * 1000, "{way}: {kept_until}");
        }
    }

    async fn a_token_revoked_by_name_is_remembered_until_it_is_dead(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let refreshed = refresh_ahead(origin, &ada).await;
        let jti = claims(&refreshed.access)["jti"].as_str().unwrap().to_owned();
        revoke(origin, &operator, &json!({"scope": "token", "name": jti, "reason": "stolen"})).await;
        let exp = claims(&refreshed.access)["exp"].as_u64().unwrap();
        assert!(kept_until(origin, &jti).await >= (exp + LEEWAY_SECS) * 1000);
    }

    async fn a_reused_refresh_token_ends_its_session_until_its_last_token_is_dead(origin) {
        let ada = origin.user("ada@example.org").await;
        let second = Tokens::from(&origin.refresh(&ada.refresh).await);
        let last = refresh_ahead(origin, &second).await;
        origin.advance(Duration::from_secs(11));
        assert_eq!(origin.refresh(&ada.refresh).await.code(), "refresh_token_reused");
        let sid = claims(&last.access)["sid"].as_str().unwrap().to_owned();
        let last_exp = claims(&last.access)["exp"].as_u64().unwrap();
        assert!(kept_until(origin, &sid).await >= (last_exp + LEEWAY_SECS) * 1000);
    }
}

/// New tokens of the session, made by a replica that is ahead.
async fn refresh_ahead(origin: &Origin, tokens: &Tokens) -> Tokens {
    origin.advance(AHEAD);
    let refreshed = Tokens::from(&origin.refresh(&tokens.refresh).await);
    origin.clock.step_back(AHEAD);
    refreshed
}

async fn delete(origin: &Origin, path: &str, tokens: &Tokens) -> Answer {
    let request =
        Request::delete(path).header("authorization", format!("Bearer {}", tokens.access));
    origin.send(request.body(Body::empty()).unwrap()).await
}

async fn client_token(origin: &Origin, client: &str) -> String {
    let form = [("grant_type", "client_credentials")];
    let answer = origin.post_form("/token", Some((client, CLIENT_SECRET)), &form);
    answer.await.text("access_token")
}

async fn is_active(origin: &Origin, client: &str, token: &str) -> bool {
    let form = [("token", token)];
    let answer = origin.post_form("/introspect", Some((client, CLIENT_SECRET)), &form);
    answer.await.body["active"] == true
}

/// Unix milliseconds.
async fn kept_until(origin: &Origin, name: &str) -> u64 {
    let kept: i64 = sqlx::query_scalar("SELECT MAX(retain_until) FROM revocations WHERE name = $1")
        .bind(name)
        .fetch_one(&origin.app.pool)
        .await
        .unwrap();
    kept.cast_unsigned()
}
