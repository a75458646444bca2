//! `POST /token`: what every grant has in common, and the grants of users.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{
    Answer, CLIENT_SECRET, Origin, PASSWORD, Tokens, assert_oauth_denial, claims, on_both_stores,
};

const BOTH: [&str; 2] = ["password", "refresh_token"];
const APP: Option<(&str, &str)> = Some(("app", CLIENT_SECRET));

on_both_stores! {
    async fn a_client_gets_a_pair_for_a_password_and_refreshes_it(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let answer = origin.token_by_password("app", "ada@example.org").await;
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let first = Tokens::from(&answer);
        assert_eq!(claims(&first.access)["client_id"], "app");
        let second = Tokens::from(&refresh(origin, &first.refresh, None).await);
        assert_eq!(origin.get_as("/me", &second.access).await.status, 200);
    }

    async fn a_client_without_the_refresh_grant_gets_no_refresh_token(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password"]).await;
        let answer = origin.token_by_password("app", "ada@example.org").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.get("refresh_token").is_none(), "{answer:?}");
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM refresh_tokens")
            .fetch_one(&origin.app.pool).await.unwrap();
        assert_eq!(kept, 0);
        // Its session ends with its one token.
        let token = answer.text("access_token");
        let sessions = origin.get_as("/sessions", &token).await;
        assert_eq!(sessions.body["sessions"].as_array().unwrap().len(), 1);
        origin.advance(std::time::Duration::from_hours(1));
        let later = origin.log_in("ada@example.org").await;
        let sessions = origin.get_as("/sessions", &later.access).await;
        assert_eq!(sessions.body["sessions"].as_array().unwrap().len(), 1, "{sessions:?}");
    }

    async fn a_client_may_send_its_secret_in_the_form_but_not_in_two_ways(origin) {
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
        assert_oauth_denial!(origin.post_form("/token", APP, &form).await, @r"
        400 invalid_request: The client authenticates itself in more than one way
        error: invalid_request
        ");
    }

    async fn the_parts_of_basic_authentication_are_form_encoded(origin) {
        let secret = "a secret + with %, ü and :";
        origin.client_with_secret("app.one", secret, &["client_credentials"]).await;
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let answer = origin
            .post_form("/token", Some((&encode("app.one"), &encode(secret))), &[("grant_type", "client_credentials")])
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn a_password_with_a_replacement_character_is_one(origin) {
        let password = "a secret with \u{fffd} in it";
        let body = json!({"email": "ada@example.org", "password": password});
        assert_eq!(origin.post("/register", &body).await.status, 201);
        origin.client("app", &BOTH).await;
        let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", password)];
        assert_eq!(origin.post_form("/token", APP, &form).await.status, 200);
    }

    async fn no_grant_without_an_authenticated_client(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", PASSWORD)];
        for client in [None, Some(("app", "a wrong secret of it")), Some(("nobody", CLIENT_SECRET)), Some(("a\0", "b"))] {
            assert_oauth_denial!(origin.post_form("/token", client, &form).await, @r#"
            401 invalid_client: Client authentication failed
            www-authenticate: Basic realm="portcullis"
            error: invalid_client
            "#);
        }
    }

    async fn refuses_by_the_errors_of_rfc_6749_and_challenges_nobody(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password"]).await;
        for (form, code, error) in [
            (vec![], "invalid_request", "invalid_request"),
            (vec![("grant_type", "magic")], "unsupported_grant_type", "unsupported_grant_type"),
            (vec![("grant_type", "refresh_token")], "unauthorized_client", "unauthorized_client"),
            (vec![("grant_type", "client_credentials")], "unauthorized_client", "unauthorized_client"),
            (vec![("grant_type", "password")], "invalid_request", "invalid_request"),
            (
                vec![("grant_type", "password"), ("username", "ada@example.org"), ("password", "wrong")],
                "invalid_credentials",
                "invalid_grant",
            ),
        ] {
            let answer = origin.post_form("/token", APP, &form).await;
            answer.oauth_denial();
            assert_eq!((answer.status, answer.code()), (400, code), "{form:?}");
            assert_eq!(answer.body["error"], error);
            assert_eq!(answer.header("www-authenticate"), "", "{answer:?}");
        }
    }

    async fn a_parameter_twice_is_refused_and_one_that_nobody_knows_is_ignored(origin) {
        origin.client("app", &["client_credentials"]).await;
        for (body, status) in [
            ("grant_type=client_credentials&resource=x", 200),
            ("grant_type=client_credentials&scope=", 200),
            ("grant_type=client_credentials&grant_type=client_credentials", 400),
            ("grant_type=client_credentials&scope=profile&scope=profile", 400),
            ("grant_type=client_credentials&x=1&x=2", 400),
        ] {
            let body = format!("{body}&client_id=app&client_secret={}", CLIENT_SECRET.replace(' ', "+"));
            let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
            let answer = origin.send(request.body(Body::from(body.clone())).unwrap()).await;
            assert_eq!(answer.status, status, "{body} {answer:?}");
            assert!(status == 200 || answer.body["error"] == "invalid_request", "{answer:?}");
        }
    }

    async fn the_scope_is_what_client_and_user_have_or_what_was_asked_for(origin) {
        origin.operator("op@example.org").await;
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        for (user, asked, granted) in [
            ("op@example.org", None, Ok("profile operator")),
            ("op@example.org", Some("profile"), Ok("profile")),
            ("op@example.org", Some("operator profile operator"), Ok("operator profile")),
            ("ada@example.org", None, Ok("profile")),
            ("ada@example.org", Some("profile operator"), Err("invalid_scope")),
            ("ada@example.org", Some("moon"), Err("invalid_scope")),
            ("ada@example.org", Some("profile  "), Err("invalid_scope")),
        ] {
            let mut form = vec![("grant_type", "password"), ("username", user), ("password", PASSWORD)];
            form.extend(asked.map(|scope| ("scope", scope)));
            let answer = origin.post_form("/token", APP, &form).await;
            match granted {
                Ok(scope) => {
                    assert_eq!(answer.body["scope"], scope, "{user} {asked:?}");
                    assert_eq!(claims(&answer.text("access_token"))["scope"], scope);
                }
                Err(error) => assert_eq!((answer.status, &answer.body["error"]), (400, &json!(error)), "{user} {asked:?}"),
            }
        }
    }

    async fn a_refresh_may_ask_for_less_and_not_for_more(origin) {
        origin.operator("op@example.org").await;
        origin.client("app", &BOTH).await;
        let form = [("grant_type", "password"), ("username", "op@example.org"), ("password", PASSWORD)];
        let first = Tokens::from(&origin.post_form("/token", APP, &form).await);
        let less = refresh(origin, &first.refresh, Some("profile")).await;
        assert_eq!(less.body["scope"], "profile");
        // The session keeps its scope, whatever one of its tokens was given.
        let whole = refresh(origin, &less.text("refresh_token"), None).await;
        assert_eq!(whole.body["scope"], "profile operator");

        let narrow = [("grant_type", "password"), ("username", "op@example.org"), ("password", PASSWORD), ("scope", "profile")];
        let narrow = Tokens::from(&origin.post_form("/token", APP, &narrow).await);
        let more = refresh(origin, &narrow.refresh, Some("profile operator")).await;
        assert_eq!((more.status, &more.body["error"]), (400, &json!("invalid_scope")));
        // What was refused used nothing up.
        let same = refresh(origin, &narrow.refresh, None).await;
        assert_eq!(same.body["scope"], "profile", "{same:?}");
        let row: Option<i64> = sqlx::query_scalar("SELECT MAX(used_at) FROM refresh_tokens WHERE hash = $1")
            .bind(origin::sessions::token_hash(&same.text("refresh_token")).to_vec())
            .fetch_one(&origin.app.pool).await.unwrap();
        assert_eq!(row, None);
    }

    async fn a_refresh_token_of_another_client_is_an_invalid_grant(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        origin.client("other", &BOTH).await;
        let tokens = Tokens::from(&origin.token_by_password("other", "ada@example.org").await);
        assert_oauth_denial!(refresh(origin, &tokens.refresh, None).await, @r"
        400 refresh_token_unknown: The refresh token is not known
        error: invalid_grant
        ");
    }
}

on_both_stores! {
    with ["--password-grant=off"];

    async fn the_password_grant_can_be_switched_off(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &BOTH).await;
        let answer = origin.token_by_password("app", "ada@example.org").await;
        assert_eq!(answer.body["error"], "unsupported_grant_type", "{answer:?}");
        let metadata = origin.get("/.well-known/oauth-authorization-server").await;
        let grants = &metadata.body["grant_types_supported"];
        assert_eq!(*grants, json!(["refresh_token", "client_credentials"]));
    }
}

async fn refresh(origin: &Origin, token: &str, scope: Option<&str>) -> Answer {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend(scope.map(|scope| ("scope", scope)));
    origin.post_form("/token", APP, &form).await
}
