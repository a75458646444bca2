//! `POST /revoke`.

use crate::harness::{Answer, CLIENT_SECRET, Origin, Tokens, on_both_stores};

const GRANTS: [&str; 2] = ["password", "refresh_token"];

on_both_stores! {
    async fn an_access_token_dies_alone(origin) {
        let tokens = client_tokens(origin, "app").await;
        let answer = revoke(origin, "app", &tokens.access).await;
        assert_eq!(answer.body["revocation"]["scope"], "token", "{answer:?}");
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "token_revoked");
        let form = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)];
        let next = origin.post_form("/token", Some(("app", CLIENT_SECRET)), &form).await;
        assert_eq!(origin.get_as("/me", &Tokens::from(&next).access).await.status, 200);
    }

    async fn a_refresh_token_takes_its_session_along(origin) {
        let tokens = client_tokens(origin, "app").await;
        let answer = revoke(origin, "app", &tokens.refresh).await;
        assert_eq!(answer.body["revocation"]["scope"], "session", "{answer:?}");
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "token_revoked");
        assert!(revoke(origin, "app", &tokens.refresh).await.body["revocation"].is_null());
    }

    async fn what_is_unknown_is_revoked_already(origin) {
        client_tokens(origin, "app").await;
        for unknown in ["x", "a.b.c", "\u{1F980}"] {
            let answer = revoke(origin, "app", unknown).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.body["revocation"].is_null());
        }
    }

    async fn another_clients_tokens_are_refused_and_live_on(origin) {
        let tokens = client_tokens(origin, "app").await;
        origin.client("other", &GRANTS).await;
        for token in [&tokens.access, &tokens.refresh] {
            let answer = revoke(origin, "other", token).await;
            assert_eq!((answer.status, answer.code()), (400, "unauthorized_client"));
        }
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
    }
}

async fn client_tokens(origin: &Origin, client: &str) -> Tokens {
    origin.register("ada@example.org").await;
    origin.client(client, &GRANTS).await;
    Tokens::from(&origin.token_by_password(client, "ada@example.org").await)
}

async fn revoke(origin: &Origin, client: &str, token: &str) -> Answer {
    origin
        .post_form(
            "/revoke",
            Some((client, CLIENT_SECRET)),
            &[("token", token)],
        )
        .await
}
