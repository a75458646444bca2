//! `POST /token`.

use serde_json::json;

use crate::harness::{CLIENT_SECRET, PASSWORD, Tokens, assert_denial, claims, on_both_stores};

const BOTH: [&str; 2] = ["password", "refresh_token"];

on_both_stores! {
    async fn a_client_gets_a_pair_for_a_password_and_refreshes_it(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let answer = origin.token_by_password("app", "ada@example.org").await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let first = Tokens::from(&answer);
        assert_eq!(claims(&first.access)["client_id"], "app");
        let form = [("grant_type", "refresh_token"), ("refresh_token", &first.refresh)];
        let second = Tokens::from(&origin.post_form("/token", Some(("app", CLIENT_SECRET)), &form).await);
        assert_eq!(origin.get_as("/me", &second.access).await.status, 200);
    }

    async fn a_client_may_send_its_secret_in_the_form(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let form = [
            ("grant_type", "password"),
            ("username", "ada@example.org"),
            ("password", PASSWORD),
            ("client_id", "app"),
            ("client_secret", CLIENT_SECRET),
        ];
        assert_eq!(origin.post_form("/token", None, &form).await.status, 200);
        let twice = origin.post_form("/token", Some(("app", CLIENT_SECRET)), &form).await;
        assert_eq!((twice.status, twice.code()), (400, "invalid_request"));
    }

    async fn no_grant_without_an_authenticated_client(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", PASSWORD)];
        for client in [None, Some(("app", "a wrong secret of it")), Some(("nobody", CLIENT_SECRET)), Some(("a\0", "b"))] {
            assert_denial!(origin.post_form("/token", client, &form).await, @r"
            401 invalid_client: Client authentication failed
            www-authenticate: Basic
            error: invalid_client
            ");
        }
    }

    async fn refuses_by_the_errors_of_rfc_6749(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password"]).await;
        let app = Some(("app", CLIENT_SECRET));
        for (form, status, code, error) in [
            (vec![], 400, "invalid_request", "invalid_request"),
            (vec![("grant_type", "magic")], 400, "unsupported_grant_type", "unsupported_grant_type"),
            (vec![("grant_type", "refresh_token")], 400, "unauthorized_client", "unauthorized_client"),
            (vec![("grant_type", "password")], 400, "invalid_request", "invalid_request"),
            (
                vec![("grant_type", "password"), ("username", "ada@example.org"), ("password", "wrong")],
                400,
                "invalid_credentials",
                "invalid_grant",
            ),
            (
                vec![("grant_type", "password"), ("username", "a"), ("password", "b"), ("scope", "moon")],
                400,
                "invalid_scope",
                "invalid_scope",
            ),
        ] {
            let answer = origin.post_form("/token", app, &form).await;
            answer.denial();
            assert_eq!((answer.status, answer.code()), (status, code), "{form:?}");
            assert_eq!(answer.body["error"], error);
        }
    }

    async fn the_scope_is_what_client_user_and_request_have_in_common(origin) {
        origin.operator("op@example.org").await;
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        for (user, asked, granted) in [
            ("op@example.org", None, "profile operator"),
            ("op@example.org", Some("profile"), "profile"),
            ("ada@example.org", None, "profile"),
            ("ada@example.org", Some("profile operator"), "profile"),
        ] {
            let mut form = vec![("grant_type", "password"), ("username", user), ("password", PASSWORD)];
            form.extend(asked.map(|scope| ("scope", scope)));
            let answer = origin.post_form("/token", Some(("app", CLIENT_SECRET)), &form).await;
            assert_eq!(answer.body["scope"], json!(granted), "{user} {asked:?}");
        }
    }
}
