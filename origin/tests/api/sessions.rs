//! `GET /sessions`, `DELETE /sessions/{sid}`.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use origin::clock::Clock;
use origin::iso_time;
use serde_json::json;

use crate::harness::{Answer, Origin, PASSWORD, Tokens, claims, on_both_stores};

on_both_stores! {
    async fn lists_the_open_sessions_of_this_user_and_marks_the_current_one(origin) {
        let first = origin.user("ada@example.org").await;
        let second = origin.log_in("ada@example.org").await;
        let third = origin.log_in("ada@example.org").await;
        origin.user("bob@example.org").await;
        origin.post_as("/logout", &third.access).await;
        let answer = origin.get_as("/sessions", &first.access).await;
        let listed = answer.body["sessions"].as_array().unwrap();
        assert_eq!(listed.len(), 2, "{answer:?}");
        let is_current = |sid| listed.iter().find(|s| s["sid"] == sid).unwrap()["current"].clone();
        assert_eq!(is_current(claims(&first.access)["sid"].clone()), true);
        assert_eq!(is_current(claims(&second.access)["sid"].clone()), false);
    }

    async fn closing_a_session_ends_its_tokens_and_no_others(origin) {
        let first = origin.user("ada@example.org").await;
        let second = origin.log_in("ada@example.org").await;
        let answer = close(origin, &claims(&second.access)["sid"], &first.access).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(origin.get_as("/me", &second.access).await.code(), "token_revoked");
        assert_eq!(origin.refresh(&second.refresh).await.code(), "session_closed");
        assert_eq!(origin.get_as("/me", &first.access).await.status, 200);
    }

    async fn names_the_device_and_says_from_where_since_when_and_until_when(origin) {
        origin.register("ada@example.org").await;
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let request = Request::post("/login")
            .header("content-type", "application/json")
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        let tokens = Tokens::from(&origin.send(request.body(body.to_string().into()).unwrap()).await);
        let began = origin.clock.now();
        origin.advance(Duration::from_mins(10));
        let tokens = Tokens::from(&origin.refresh(&tokens.refresh).await);
        let answer = origin.get_as("/sessions", &tokens.access).await;
        let session = &answer.body["sessions"][0];
        assert_eq!(session["device"], "Firefox on Linux");
        assert_eq!(session["address"], "unknown");
        assert_eq!(session["client_id"], "portcullis");
        assert_eq!(session["created_at"], iso_time::format(began));
        assert_eq!(session["last_seen_at"], iso_time::format(origin.clock.now()));
        assert_eq!(session["expires_at"], iso_time::format(began.plus_secs(2_592_000)));
    }

    async fn the_session_of_another_user_is_not_found(origin) {
        let ada = origin.user("ada@example.org").await;
        let bob = origin.user("bob@example.org").await;
        let answer = close(origin, &claims(&bob.access)["sid"], &ada.access).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"));
        assert_eq!(origin.get_as("/me", &bob.access).await.status, 200);
    }
}

on_both_stores! {
    with ["--session-idle-secs=7200", "--refresh-token-secs=21600", "--access-token-secs=3600"];

    async fn a_session_that_nobody_refreshes_ends_and_one_in_use_ends_in_its_time(origin) {
        let idle = origin.user("ada@example.org").await;
        let mut used = origin.log_in("ada@example.org").await;
        for _ in 0..5 {
            origin.advance(Duration::from_hours(1));
            used = Tokens::from(&origin.refresh(&used.refresh).await);
        }
        assert_eq!(origin.refresh(&idle.refresh).await.code(), "refresh_token_expired");
        let listed = origin.get_as("/sessions", &used.access).await;
        assert_eq!(listed.body["sessions"].as_array().unwrap().len(), 1, "{listed:?}");
        origin.advance(Duration::from_hours(1));
        assert_eq!(origin.refresh(&used.refresh).await.code(), "refresh_token_expired");
    }

    async fn no_token_outlives_its_session(origin) {
        let mut used = origin.user("ada@example.org").await;
        let ends_at = claims(&used.access)["iat"].as_u64().unwrap() + 21600;
        for _ in 0..3 {
            origin.advance(Duration::from_mins(110));
            let answer = origin.refresh(&used.refresh).await;
            used = Tokens::from(&answer);
            let claims = claims(&used.access);
            let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
            assert_eq!(answer.body["expires_in"], exp - iat);
            assert_eq!(exp, ends_at.min(iat + 3600));
        }
    }
}

async fn close(origin: &Origin, sid: &serde_json::Value, token: &str) -> Answer {
    let request = Request::delete(format!("/sessions/{}", sid.as_str().unwrap()))
        .header("authorization", format!("Bearer {token}"));
    origin.send(request.body(Body::empty()).unwrap()).await
}
