//! `GET /admin/audit`, and what is written to the log that it shows.

use std::time::Duration;

use origin::clock::Clock;
use origin::retention;
use serde_json::{Value, json};

use crate::harness::{Answer, Origin, PASSWORD, assert_denial, claims, on_both_stores};

on_both_stores! {
    async fn tells_who_did_what_to_whom_when_from_where_and_why(origin) {
        let operator = origin.operator("ops@example.org").await;
        let tokens = origin.user("ada@example.org").await;
        let sub = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        origin.advance(Duration::from_millis(1));
        let body = json!({"scope": "session", "name": sid, "reason": "device lost"});
        let revoked = origin.post_json_as("/admin/revocations", &operator.access, &body).await;
        let page = ask(origin, &operator.access, &format!("subject=session:{sid}")).await;
        let events = page.body["events"].as_array().unwrap();
        assert_eq!(names(&page), ["revoked", "logged_in"]);
        assert_eq!(events[0]["reason"], "device lost");
        assert_eq!(events[0]["revocation_id"], revoked.body["revocation"]["id"]);
        let ops = claims(&operator.access)["sub"].as_str().unwrap().to_owned();
        assert_eq!(events[0]["actor"], format!("user:{ops}"));
        assert_eq!(events[1]["actor"], format!("user:{sub}"));
        assert_eq!(events[1]["address"], "unknown");
        assert!(events[1]["at"].as_str().unwrap().ends_with('Z'));
    }

    async fn filters_narrow_together(origin) {
        let operator = origin.operator("ops@example.org").await;
        origin.register("ada@example.org").await;
        let wrong = json!({"email": "ada@example.org", "password": "wrong password"});
        origin.post("/login", &wrong).await;
        let noon = origin::iso_time::format(origin.clock.now().plus_secs(5));
        origin.advance(Duration::from_secs(10));
        origin.post("/login", &wrong).await;
        let tokens = origin.log_in("ada@example.org").await;
        let sub = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
        for (query, expected) in [
            ("event=log_in_failed".to_owned(), 2),
            (format!("event=log_in_failed&from={noon}"), 1),
            (format!("event=log_in_failed&to={noon}"), 1),
            (format!("event=log_in_failed&from={noon}&to={noon}"), 0),
            (format!("actor=user:{sub}"), 2),
            (format!("actor=user:{sub}&event=logged_in"), 1),
            ("actor=user:nobody".to_owned(), 0),
        ] {
            let page = ask(origin, &operator.access, &query).await;
            assert_eq!(names(&page).len(), expected, "{query}: {page:?}");
        }
    }

    async fn pages_follow_each_other_without_a_gap_whatever_is_written_meanwhile(origin) {
        let operator = origin.operator("ops@example.org").await;
        // All of one millisecond: their ids tell them apart.
        for number in 0..7 {
            origin.register(&format!("user{number}@example.org")).await;
        }
        let whole = ask(origin, &operator.access, "event=registered").await;
        assert_eq!((names(&whole).len(), &whole.body["next"]), (8, &Value::Null));
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("event=registered&limit=3{cursor}");
            let page = ask(origin, &operator.access, &query).await;
            paged.extend(page.body["events"].as_array().unwrap().clone());
            origin.advance(Duration::from_millis(1));
            origin.register(&format!("later{}@example.org", paged.len())).await;
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(&paged, whole.body["events"].as_array().unwrap());
    }

    async fn refuses_what_it_does_not_understand(origin) {
        let operator = origin.operator("ops@example.org").await;
        for query in [
            "user=x", "event=nothing", "event=", "from=yesterday", "to=2026-11-25", "limit=0", "limit=1001",
            "limit=-1", "limit=x", "cursor=x", "cursor=1", "cursor=-1-x", "cursor=99999999999999999999-x",
            "cursor=9223372036854775808-x", "actor=%00", "event=revoked&event=revoked", "subject=",
        ] {
            let answer = ask(origin, &operator.access, query).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid_query"), "{query}");
        }
        let hostile = ask(origin, &operator.access, "subject=%27%20OR%201%3D1--").await;
        assert_eq!((hostile.status, names(&hostile).len()), (200, 0));
    }

    async fn is_for_operators_only(origin) {
        let user = origin.user("ada@example.org").await;
        assert_denial!(ask(origin, &user.access, "").await, @r#"
        403 insufficient_scope: The access token lacks the scope operator
        www-authenticate: Bearer realm="portcullis", error="insufficient_scope", scope="operator"
        "#);
        assert_eq!(origin.get("/admin/audit").await.code(), "missing_token");
    }

    async fn every_event_of_a_life_is_there_and_no_secret(origin) {
        let operator = origin.operator("ops@example.org").await;
        let tokens = origin.user("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        let body = json!({"token": token, "new_password": "another horse of a test"});
        assert_eq!(origin.post("/password/reset", &body).await.status, 200);
        origin.pass_cut_off();
        let tokens_after = origin.log_in_with("ada@example.org", "another horse of a test").await;
        let access = tokens_after.text("access_token");
        for (current, new) in [("wrong password", PASSWORD), ("another horse of a test", PASSWORD)] {
            let body = json!({"current_password": current, "new_password": new});
            origin.post_json_as("/password/change", &access, &body).await;
        }
        origin.post_as("/logout", &access).await;
        let page = ask(origin, &operator.access, "").await;
        for name in [
            "registered", "logged_in", "password_forgotten", "password_reset", "password_change_failed",
            "password_changed", "logged_out",
        ] {
            assert!(names(&page).contains(&name), "{name}: {page:?}");
        }
        for secret in [token.as_str(), PASSWORD, "another horse of a test", &access, &tokens.refresh, "ada@example.org"] {
            assert!(!page.raw.contains(secret), "{secret}");
        }
    }

    async fn the_database_itself_refuses_to_change_a_row(origin) {
        origin.register("ada@example.org").await;
        let run = |statement: &'static str| sqlx::query(statement).execute(&origin.app.pool);
        let mut statements = vec![
            "UPDATE audit_log SET actor = 'nobody'",
            "UPDATE audit_log SET at = at - 1 WHERE event = 'registered'",
        ];
        if origin.stores.redis().is_some() {
            // SQLite has no such statement.
            statements.push("TRUNCATE audit_log");
        }
        for statement in statements {
            let refused = run(statement).await.unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{statement}: {refused}");
        }
        let actors: Vec<String> = sqlx::query_scalar("SELECT actor FROM audit_log")
            .fetch_all(&origin.app.pool)
            .await
            .unwrap();
        assert!(matches!(&actors[..], [actor] if actor.starts_with("user:")), "{actors:?}");
    }

    async fn what_is_older_than_it_is_kept_is_deleted_and_no_more(origin) {
        origin.register("ada@example.org").await;
        assert_eq!(origin.post("/password/forgot", &json!({"email": "eve@example.org"})).await.status, 200);
        assert!(origin.mails().await.is_empty());
        origin.advance(Duration::from_hours(24 * 364));
        retention::enforce(&origin.app, origin.clock.now()).await.unwrap();
        origin.register("bob@example.org").await;
        let left = |table: &'static str| async move {
            let statement = format!("SELECT COUNT(*) FROM {table}");
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
                .fetch_one(&origin.app.pool)
                .await
                .unwrap();
            count
        };
        assert_eq!(left("audit_log WHERE event = 'registered'").await, 2);
        assert_eq!(left("mails").await, 0);
        origin.advance(Duration::from_hours(24 * 2));
        retention::enforce(&origin.app, origin.clock.now()).await.unwrap();
        assert_eq!(left("audit_log").await, 1);
    }
}

async fn ask(origin: &Origin, token: &str, query: &str) -> Answer {
    origin.get_as(&format!("/admin/audit?{query}"), token).await
}

fn names(page: &Answer) -> Vec<&str> {
    let events = page.body["events"].as_array();
    events
        .into_iter()
        .flatten()
        .map(|event| event["event"].as_str().unwrap())
        .collect()
}
