//! `POST /introspect`.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use serde_json::json;

use crate::harness::{Answer, CLIENT_SECRET, EDGE_SECRET, Origin, Tokens, claims, on_both_stores};

on_both_stores! {
    async fn shows_a_living_token_to_a_client_that_may_see_all(origin) {
        let tokens = origin.user("ada@example.org").await;
        origin.insert_client("gateway", &[], true).await;
        let answer = introspect(origin, "gateway", &tokens.access).await;
        assert_eq!(answer.body["active"], true, "{answer:?}");
        assert_eq!(answer.body["sub"], claims(&tokens.access)["sub"]);
        assert_eq!(answer.body["jti"], claims(&tokens.access)["jti"]);
    }

    async fn says_no_more_than_inactive_of_what_is_dead_unknown_or_not_the_callers(origin) {
        let mine = origin.user("ada@example.org").await;
        let dead = origin.log_in("ada@example.org").await;
        origin.post_as("/logout", &dead.access).await;
        origin.insert_client("gateway", &[], true).await;
        origin.client("app", &["password"]).await;
        for (client, token) in
            [("gateway", dead.access.as_str()), ("gateway", "x"), ("gateway", &mine.refresh), ("app", &mine.access)]
        {
            let answer = introspect(origin, client, token).await;
            assert_eq!((answer.status, &answer.body), (200, &json!({"active": false})));
        }
    }

    async fn a_client_sees_the_tokens_that_were_given_to_it(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password", "refresh_token"]).await;
        let tokens = Tokens::from(&origin.token_by_password("app", "ada@example.org").await);
        assert_eq!(introspect(origin, "app", &tokens.access).await.body["active"], true);
    }

    async fn what_is_known_of_a_token_is_said_and_in_json_whatever_was_asked_for(origin) {
        let id = origin.register("ada@example.org").await;
        origin.client("app", &["password", "refresh_token"]).await;
        let tokens = Tokens::from(&origin.token_by_password("app", "ada@example.org").await);
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("app:{CLIENT_SECRET}"));
        let request = Request::post("/introspect")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/token-introspection+jwt")
            .header("authorization", format!("Basic {credentials}"));
        let body = format!("token={}&token_type_hint=refresh_token", tokens.access);
        let answer = origin.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut known = claims(&tokens.access);
        known["active"] = true.into();
        known["token_type"] = "Bearer".into();
        known["username"] = "ada@example.org".into();
        assert_eq!(answer.body, known);
        assert_eq!(answer.body["sub"], id.as_str());
    }

    async fn an_edge_asks_with_its_own_secret(origin) {
        let tokens = origin.user("ada@example.org").await;
        for (secret, status) in [("the secret of an edge in a test", 200), ("another secret", 401)] {
            let request = Request::post("/introspect")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", format!("Bearer {secret}"));
            let body = Body::from(format!("token={}", tokens.access));
            assert_eq!(origin.send(request.body(body).unwrap()).await.status, status);
        }
    }

    async fn only_an_edge_may_keep_the_answer_and_no_longer_than_the_newest_list_lives(origin) {
        let tokens = origin.user("ada@example.org").await;
        assert_eq!(edge_may_keep(origin, &tokens.access).await, "no-store");
        origin.publish().await;
        assert_eq!(edge_may_keep(origin, &tokens.access).await, "private, max-age=150");
        origin.advance(Duration::from_millis(100_500));
        assert_eq!(edge_may_keep(origin, &tokens.access).await, "private, max-age=49");
        origin.advance(Duration::from_secs(49));
        assert_eq!(edge_may_keep(origin, &tokens.access).await, "no-store");
        origin.insert_client("gateway", &[], true).await;
        let to_client = introspect(origin, "gateway", &tokens.access).await;
        assert_eq!(to_client.headers["cache-control"], "no-store");
    }
}

async fn edge_may_keep(origin: &Origin, token: &str) -> String {
    let request = Request::post("/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Bearer {EDGE_SECRET}"));
    let body = Body::from(format!("token={token}"));
    let answer = origin.send(request.body(body).unwrap()).await;
    answer.headers["cache-control"].to_str().unwrap().to_owned()
}

async fn introspect(origin: &Origin, client: &str, token: &str) -> Answer {
    origin
        .post_form(
            "/introspect",
            Some((client, CLIENT_SECRET)),
            &[("token", token)],
        )
        .await
}
