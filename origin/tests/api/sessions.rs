//! `GET /sessions`, `DELETE /sessions/{sid}`.

use axum::body::Body;
use axum::http::Request;

use crate::harness::{Answer, Origin, claims, on_both_stores};

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

    async fn the_session_of_another_user_is_not_found(origin) {
        let ada = origin.user("ada@example.org").await;
        let bob = origin.user("bob@example.org").await;
        let answer = close(origin, &claims(&bob.access)["sid"], &ada.access).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"));
        assert_eq!(origin.get_as("/me", &bob.access).await.status, 200);
    }
}

async fn close(origin: &Origin, sid: &serde_json::Value, token: &str) -> Answer {
    let request = Request::delete(format!("/sessions/{}", sid.as_str().unwrap()))
        .header("authorization", format!("Bearer {token}"));
    origin.send(request.body(Body::empty()).unwrap()).await
}
