//! `GET /me`, and with it what every protected resource says of a token.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::harness::{assert_denial, on_both_stores};

on_both_stores! {
    async fn answers_the_user_of_the_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let answer = origin.get_as("/me", &tokens.access).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["email"], "ada@example.org");
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    async fn asks_for_a_token_where_there_is_none(origin) {
        assert_denial!(origin.get("/me").await, @r#"
        401 missing_token: An access token is required
        www-authenticate: Bearer realm="portcullis"
        "#);
    }

    async fn refuses_two_tokens(origin) {
        let tokens = origin.user("ada@example.org").await;
        let twice = Request::get("/me")
            .header("authorization", format!("Bearer {}", tokens.access))
            .header("authorization", format!("Bearer {}", tokens.access));
        assert_denial!(origin.send(twice.body(Body::empty()).unwrap()).await, @r#"
        400 invalid_request: The request carries more than one token
        www-authenticate: Bearer realm="portcullis", error="invalid_request"
        "#);
        let beside = origin.get_as("/me?access_token=x", &tokens.access).await;
        assert_eq!((beside.status, beside.code()), (400, "invalid_request"));
    }

    async fn refuses_a_token_that_has_expired(origin) {
        let tokens = origin.user("ada@example.org").await;
        origin.advance(Duration::from_secs(3600 + 29));
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
        origin.advance(Duration::from_secs(1));
        let answer = origin.get_as("/me", &tokens.access).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:?}");
    }

    async fn refuses_a_forged_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        // Verified and remembered; what only resembles it is not.
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
        let (signed, signature) = tokens.access.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        for bad in [forged.as_str(), "x", "a.b.c", "", "..", &tokens.refresh] {
            let answer = origin.get_as("/me", bad).await;
            assert_eq!(answer.status, 401, "{bad}");
            assert!(!answer.raw.contains(&tokens.access));
        }
    }

    async fn says_when_the_user_is_gone(origin) {
        let tokens = origin.user("ada@example.org").await;
        sqlx::query("DELETE FROM users").execute(&origin.app.pool).await.unwrap();
        assert_denial!(origin.get_as("/me", &tokens.access).await, @r#"
        401 user_not_found: User not found
        www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="User not found"
        "#);
    }
}
