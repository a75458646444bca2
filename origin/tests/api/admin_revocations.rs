//! `POST` and `GET /admin/revocations`.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use origin::clock::Clock;
use serde_json::{Value, json};

use crate::harness::{Answer, Origin, Tokens, assert_denial, claims, on_both_stores};

on_both_stores! {
    async fn only_an_operator_may(origin) {
        let ada = origin.user("ada@example.org").await;
        let body = json!({"scope": "user", "name": "x", "reason": "test"});
        assert_denial!(revoke(origin, &ada, &body).await, @r#"
        403 insufficient_scope: The access token lacks the scope operator
        www-authenticate: Bearer realm="portcullis", error="insufficient_scope", scope="operator"
        "#);
        assert_eq!(origin.get_as("/admin/revocations", &ada.access).await.status, 403);
    }

    async fn an_operator_revokes_a_token_a_session_and_a_user(origin) {
        let operator = origin.operator("op@example.org").await;
        origin.register("ada@example.org").await;
        for (scope, claim, code) in [
            ("token", "jti", "token_revoked"),
            ("session", "sid", "token_revoked"),
            ("user", "sub", "all_sessions_revoked"),
        ] {
            let ada = origin.log_in("ada@example.org").await;
            let body = json!({"scope": scope, "name": claims(&ada.access)[claim], "reason": "stolen"});
            let answer = revoke(origin, &operator, &body).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            assert_eq!(origin.get_as("/me", &ada.access).await.code(), code);
        }
        let listed = origin.get_as("/admin/revocations", &operator.access).await;
        assert_eq!(listed.body["revocations"].as_array().unwrap().len(), 3);
    }

    async fn an_issuer_cut_off_ends_every_token_and_holds_new_ones_until_its_second(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let body = json!({"scope": "issuer", "reason": "the key leaked"});
        assert_eq!(revoke(origin, &operator, &body).await.status, 201);
        for tokens in [&operator, &ada] {
            assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "token_revoked");
        }
        let (refreshed, logged_in, ()) = tokio::join!(
            origin.refresh(&ada.refresh),
            origin.try_log_in("ada@example.org"),
            async {
                origin.wait_for_waiters(2).await;
                origin.advance(Duration::from_secs(1));
            },
        );
        for answer in [&refreshed, &logged_in] {
            let tokens = Tokens::from(answer);
            assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
        }
    }

    async fn cut_offs_combine_by_the_later_one(origin) {
        let operator = origin.operator("op@example.org").await;
        let ada = origin.user("ada@example.org").await;
        let sub = claims(&ada.access)["sub"].clone();
        let now = origin.clock.now();
        for before in [now, now.minus_secs(3600)] {
            origin.advance(Duration::from_secs(2));
            let before = origin::iso_time::format(before.plus_secs(1));
            let body = json!({"scope": "user", "name": sub, "before": before, "reason": "test"});
            assert_eq!(revoke(origin, &operator, &body).await.status, 201);
        }
        assert_eq!(origin.get_as("/me", &ada.access).await.code(), "all_sessions_revoked");
    }

    async fn refuses_what_makes_no_sense_each_by_its_code(origin) {
        let operator = origin.operator("op@example.org").await;
        let later = origin::iso_time::format(origin.clock.now().plus_secs(60));
        for (body, code) in [
            (json!({"scope": "moon", "name": "x", "reason": "r"}), "unknown_revocation_scope"),
            (json!({"scope": "user", "reason": "r"}), "invalid_revocation_name"),
            (json!({"scope": "user", "name": "a\u{0}b", "reason": "r"}), "invalid_revocation_name"),
            (json!({"scope": "user", "name": "", "reason": "r"}), "invalid_revocation_name"),
            (json!({"scope": "user", "name": "x", "issuer": "https://other.example", "reason": "r"}), "invalid_revocation_name"),
            (json!({"scope": "issuer", "name": "x", "reason": "r"}), "invalid_revocation_name"),
            (json!({"scope": "user", "name": "x", "reason": ""}), "invalid_reason"),
            (json!({"scope": "user", "name": "x", "reason": "r", "before": later}), "invalid_before"),
            (json!({"scope": "user", "name": "x", "reason": "r", "before": "yesterday"}), "invalid_before"),
            (json!({"scope": "token", "name": "x", "reason": "r", "before": "2026-01-01T00:00:00Z"}), "invalid_before"),
            (json!({"scope": "user", "name": "x", "reason": "r", "extra": 1}), "unknown_member"),
        ] {
            let answer = revoke(origin, &operator, &body).await;
            assert_eq!((answer.status, answer.code()), (422, code), "{body}");
        }
    }
}

async fn revoke(origin: &Origin, operator: &Tokens, body: &Value) -> Answer {
    let request = Request::post("/admin/revocations")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", operator.access));
    origin
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}
