//! `POST /password/forgot` and `POST /password/reset`.

use std::time::Duration;

use serde_json::json;

use crate::harness::{
    Answer, Origin, PASSWORD, assert_denial, assert_text, claims, on_both_stores,
};

const NEW_PASSWORD: &str = "another horse of a test";

on_both_stores! {
    async fn a_mailed_token_sets_a_new_password_and_ends_every_session(origin) {
        let one = origin.user("ada@example.org").await;
        let two = origin.log_in("ada@example.org").await;
        let other = origin.user("bob@example.org").await;
        let token = origin.reset_token("ADA@example.org").await;
        let answer = reset(origin, &token, NEW_PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["revocation"]["scope"], "user");
        for tokens in [&one, &two] {
            assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
            assert_eq!(origin.refresh(&tokens.refresh).await.code(), "session_closed");
        }
        assert_eq!(origin.get_as("/me", &other.access).await.status, 200);
        origin.pass_cut_off();
        assert_eq!(origin.try_log_in("ada@example.org").await.code(), "invalid_credentials");
        let answer = origin.log_in_with("ada@example.org", NEW_PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        // Who reads the mail has the address.
        assert_eq!(claims(&answer.text("access_token"))["email_verified"], true);
    }

    async fn the_owner_is_told_by_mail_and_the_log_by_a_row(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        let answer = reset(origin, &token, NEW_PASSWORD).await;
        let mails = origin.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0].to, "ada@example.org");
        assert_eq!(mails[0].subject, "Your password was set anew");
        assert_eq!(mails[0].token(), None);
        let revocation: String =
            sqlx::query_scalar("SELECT revocation_id FROM audit_log WHERE event = 'password_reset'")
                .fetch_one(&origin.app.pool)
                .await
                .unwrap();
        assert_eq!(answer.body["revocation"]["id"], revocation.as_str());
    }

    async fn an_unknown_address_gets_the_same_answer_and_the_same_work_and_no_mail(origin) {
        origin.register("ada@example.org").await;
        let mut answers = Vec::new();
        for email in ["ada@example.org", "eve@example.org"] {
            let answer = forget(origin, email).await;
            answers.push((answer.status, answer.raw));
        }
        assert_eq!(answers[0], answers[1]);
        // One order and one audit row each: the request never looks for the account.
        for table in ["mails WHERE kind = 'reset_password'", "audit_log WHERE event = 'password_forgotten'"] {
            assert_eq!(count(origin, table).await, 2, "{table}");
        }
        let mails = origin.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0].to, "ada@example.org");
        // Nothing is kept of an address that is nobody's.
        assert_eq!(count(origin, "mails WHERE recipient = 'eve@example.org'").await, 0);
    }

    async fn refuses_a_reset_token_the_second_time(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        assert_eq!(reset(origin, &token, NEW_PASSWORD).await.status, 200);
        assert_denial!(
            reset(origin, &token, "a third horse of a test").await,
            @"422 invalid_mailed_token: The token is not known, was used, or has expired"
        );
        origin.pass_cut_off();
        assert_eq!(origin.log_in_with("ada@example.org", NEW_PASSWORD).await.status, 200);
    }

    async fn refuses_a_reset_token_after_an_hour(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        origin.advance(Duration::from_hours(1));
        assert_eq!(reset(origin, &token, NEW_PASSWORD).await.code(), "invalid_mailed_token");
    }

    async fn a_newer_reset_token_makes_the_older_one_void(origin) {
        origin.register("ada@example.org").await;
        let older = origin.reset_token("ada@example.org").await;
        let newer = origin.reset_token("ada@example.org").await;
        assert_eq!(reset(origin, &older, NEW_PASSWORD).await.code(), "invalid_mailed_token");
        assert_eq!(reset(origin, &newer, NEW_PASSWORD).await.status, 200);
    }

    async fn a_weak_password_is_refused_and_costs_no_token(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        for (password, code) in [
            ("sh0rt!", "password_too_short"),
            ("Password1", "password_too_common"),
            ("ada@example.org", "password_too_common"),
        ] {
            let answer = reset(origin, &token, password).await;
            assert_eq!((answer.status, answer.code()), (422, code), "{answer:?}");
        }
        assert_eq!(reset(origin, &token, NEW_PASSWORD).await.status, 200);
    }

    async fn of_two_resets_with_one_token_at_once_one_succeeds(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        let passwords = [NEW_PASSWORD, "a third horse of a test"];
        let (one, two) = tokio::join!(
            reset(origin, &token, passwords[0]),
            reset(origin, &token, passwords[1]),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{one:?} {two:?}");
        origin.pass_cut_off();
        let (winner, loser) = if one.status == 200 { (0, 1) } else { (1, 0) };
        let email = "ada@example.org";
        assert_eq!(origin.log_in_with(email, passwords[winner]).await.status, 200);
        assert_eq!(origin.log_in_with(email, passwords[loser]).await.status, 401);
    }

    async fn tokens_that_were_never_mailed_are_refused(origin) {
        for token in ["", "x", &"A".repeat(43), &"A".repeat(10_000), "'; DROP TABLE users; --", "\u{0}"] {
            let answer = reset(origin, token, NEW_PASSWORD).await;
            assert_eq!((answer.status, answer.code()), (422, "invalid_mailed_token"), "{token}");
        }
    }

    async fn a_disabled_user_gets_no_mail_and_cannot_use_an_old_one(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        sqlx::query("UPDATE users SET disabled_at = 1").execute(&origin.app.pool).await.unwrap();
        assert_eq!(reset(origin, &token, NEW_PASSWORD).await.code(), "invalid_mailed_token");
        assert_eq!(forget(origin, "ada@example.org").await.status, 200);
        assert!(origin.mails().await.is_empty());
    }

    async fn five_mails_an_hour_are_enough_for_one_mailbox_known_or_not(origin) {
        origin.register("ada@example.org").await;
        for email in ["ada@example.org", "eve@example.org"] {
            for _ in 0..5 {
                assert_eq!(forget(origin, email).await.status, 200);
            }
            assert_denial!(forget(origin, email).await, @r"
            429 too_many_attempts: Too many failed attempts
            retry-after: given
            ");
        }
        // A stranger's requests keep nobody out.
        origin.log_in("ada@example.org").await;
    }

    async fn what_is_no_address_is_told_so(origin) {
        for email in ["", "ada", "ada@example.org\r\nBcc: eve@example.org", "a\u{202e}da@example.org"] {
            assert_eq!(forget(origin, email).await.code(), "invalid_email", "{email:?}");
        }
        assert_text!(origin.mails().await.len().to_string(), @"0");
    }
}

async fn forget(origin: &Origin, email: &str) -> Answer {
    origin
        .post("/password/forgot", &json!({"email": email}))
        .await
}

async fn reset(origin: &Origin, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "new_password": password});
    let answer = origin.post("/password/reset", &body).await;
    assert!(!answer.raw.contains(password) && !answer.raw.contains(PASSWORD));
    answer
}

async fn count(origin: &Origin, rows: &str) -> i64 {
    let statement = format!("SELECT COUNT(*) FROM {rows}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_one(&origin.app.pool)
        .await
        .unwrap()
}
