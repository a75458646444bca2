//! `POST /introspect`.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{Answer, CLIENT_SECRET, Origin, Tokens, claims, on_both_stores};

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
        origin.client("app", &["password"]).await;
        let tokens = Tokens::from(&origin.token_by_password("app", "ada@example.org").await);
        assert_eq!(introspect(origin, "app", &tokens.access).await.body["active"], true);
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
