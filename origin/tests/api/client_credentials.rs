//! `POST /token` with `client_credentials`: tokens of clients for themselves, and how they end.

use std::time::Duration;

use origin::clients;
use serde_json::json;

use crate::harness::{Answer, CLIENT_SECRET, Origin, Tokens, claims, on_both_stores};

const GRANT: [&str; 1] = ["client_credentials"];

on_both_stores! {
    async fn a_client_gets_a_token_that_speaks_of_itself(origin) {
        origin.client("reports", &GRANT).await;
        let answer = ask(origin, "reports", None).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        assert!(answer.body.get("refresh_token").is_none());
        let claims = claims(&answer.text("access_token"));
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("reports"), &json!("reports")));
        assert_eq!(claims["scope"], "profile operator");
        // Edges ask for a session; this token is the only one of its own.
        assert_eq!(claims["sid"], claims["jti"]);
        for member in ["email", "email_verified", "auth_time"] {
            assert!(claims.get(member).is_none(), "{claims}");
        }
        assert_eq!(claims["roles"], json!([]));
    }

    async fn it_may_ask_for_less_of_its_scope_and_not_for_more(origin) {
        origin.client("reports", &GRANT).await;
        assert_eq!(ask(origin, "reports", Some("profile")).await.body["scope"], "profile");
        let more = ask(origin, "reports", Some("profile moon")).await;
        assert_eq!((more.status, &more.body["error"]), (400, &json!("invalid_scope")));
    }

    async fn its_token_is_no_users(origin) {
        origin.client("reports", &GRANT).await;
        let token = token(origin, "reports").await;
        assert_eq!(origin.get_as("/me", &token).await.code(), "user_not_found");
        assert_eq!(origin.get_as("/sessions", &token).await.body["sessions"], json!([]));
    }

    async fn it_is_introspected_without_what_it_has_not(origin) {
        origin.client("reports", &GRANT).await;
        let token = token(origin, "reports").await;
        let answer = introspect(origin, "reports", &token).await;
        assert_eq!((&answer.body["active"], &answer.body["sub"]), (&json!(true), &json!("reports")));
        assert!(answer.body.get("username").is_none(), "{answer:?}");
    }

    async fn it_is_revoked_by_its_name_alone(origin) {
        origin.client("reports", &GRANT).await;
        let (one, other) = (token(origin, "reports").await, token(origin, "reports").await);
        let form = [("token", one.as_str())];
        let answer = origin.post_form("/revoke", Some(("reports", CLIENT_SECRET)), &form).await;
        assert_eq!(answer.body["revocation"]["scope"], "token", "{answer:?}");
        assert!(!is_active(origin, "reports", &one).await);
        assert!(is_active(origin, "reports", &other).await);
    }

    async fn all_of_its_tokens_are_revoked_by_its_subject_and_new_ones_live(origin) {
        let operator = origin.operator("op@example.org").await;
        origin.client("reports", &GRANT).await;
        let old = token(origin, "reports").await;
        let body = json!({"scope": "user", "name": "reports", "reason": "a test"});
        assert_eq!(origin.post_json_as("/admin/revocations", &operator.access, &body).await.status, 201);
        assert!(!is_active(origin, "reports", &old).await);
        let (new, ()) = tokio::join!(token(origin, "reports"), async {
            // Not before the cut-off: the token waits for the next second, and the clock reaches it.
            origin.wait_for_waiters(1).await;
            origin.advance(Duration::from_secs(1));
        });
        assert!(is_active(origin, "reports", &new).await);
        assert!(!is_active(origin, "reports", &old).await);
    }

    async fn a_disabled_client_gets_nothing_and_its_tokens_die(origin) {
        origin.register("ada@example.org").await;
        origin.client("reports", &["client_credentials", "password", "refresh_token"]).await;
        origin.insert_client("gateway", &[], true).await;
        let own = token(origin, "reports").await;
        let users = Tokens::from(&origin.token_by_password("reports", "ada@example.org").await);
        let elsewhere = origin.log_in("ada@example.org").await;
        let disabled = clients::disable(&origin.app, "reports", "a test").await.unwrap();
        assert_eq!(disabled.sessions_closed, 1);
        for dead in [&own, &users.access] {
            assert!(!is_active(origin, "gateway", dead).await);
        }
        assert!(is_active(origin, "gateway", &elsewhere.access).await);
        assert_eq!(ask(origin, "reports", None).await.code(), "invalid_client");
        assert_eq!(introspect(origin, "reports", &own).await.code(), "invalid_client");
        let again = clients::disable(&origin.app, "reports", "a test").await.unwrap();
        assert_eq!(again.sessions_closed, 0);
    }

    /// Whoever comes second waits for the other: a token is either cut off or never issued.
    async fn a_client_that_is_disabled_while_it_asks_is_left_with_no_token_that_works(origin) {
        origin.client("reports", &GRANT).await;
        origin.insert_client("gateway", &[], true).await;
        let asking = futures_util::future::join_all((0..8).map(|_| ask(origin, "reports", None)));
        let (answers, disabled) = tokio::join!(asking, clients::disable(&origin.app, "reports", "a test"));
        disabled.unwrap();
        for answer in answers {
            match answer.body["access_token"].as_str() {
                Some(token) => assert!(!is_active(origin, "gateway", token).await),
                None => assert_eq!(answer.code(), "invalid_client", "{answer:?}"),
            }
        }
    }

    async fn a_new_secret_replaces_the_old_one(origin) {
        origin.client("reports", &GRANT).await;
        let token = token(origin, "reports").await;
        clients::replace_secret(&origin.app, "reports", &"another secret of it".into(), None).await.unwrap();
        assert_eq!(ask(origin, "reports", None).await.code(), "invalid_client");
        let form = [("grant_type", "client_credentials")];
        let answer = origin.post_form("/token", Some(("reports", "another secret of it")), &form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        origin.insert_client("gateway", &[], true).await;
        assert!(is_active(origin, "gateway", &token).await);
    }

    async fn an_id_that_names_somebody_already_is_refused(origin) {
        let user = origin.register("ada@example.org").await;
        origin.client("reports", &GRANT).await;
        for (id, code) in [
            (user.as_str(), "client_id_taken"),
            ("reports", "client_id_taken"),
            ("portcullis", "client_id_taken"),
            ("a b", "invalid_client_id"),
            ("", "invalid_client_id"),
        ] {
            let new = clients::NewClient {
                id: id.to_owned(),
                secret: &CLIENT_SECRET.into(),
                grants: Vec::new(),
                scopes: Vec::new(),
                may_introspect_all: false,
                reason: None,
            };
            assert_eq!(clients::create(&origin.app, new).await.unwrap_err().code(), code, "{id}");
        }
    }
}

async fn ask(origin: &Origin, client: &str, scope: Option<&str>) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(scope.map(|scope| ("scope", scope)));
    origin
        .post_form("/token", Some((client, CLIENT_SECRET)), &form)
        .await
}

async fn token(origin: &Origin, client: &str) -> String {
    ask(origin, client, None).await.text("access_token")
}

async fn introspect(origin: &Origin, client: &str, token: &str) -> Answer {
    let form = [("token", token)];
    origin
        .post_form("/introspect", Some((client, CLIENT_SECRET)), &form)
        .await
}

async fn is_active(origin: &Origin, client: &str, token: &str) -> bool {
    introspect(origin, client, token).await.body["active"] == true
}
