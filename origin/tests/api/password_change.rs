//! `POST /password/change`.

use serde_json::json;

use crate::harness::{Answer, Origin, PASSWORD, Tokens, assert_denial, on_both_stores};

const NEW_PASSWORD: &str = "another horse of a test";

on_both_stores! {
    async fn closes_every_other_session_and_keeps_the_one_that_asks(origin) {
        let asking = origin.user("ada@example.org").await;
        let others = [origin.log_in("ada@example.org").await, origin.log_in("ada@example.org").await];
        let answer = change(origin, &asking, PASSWORD, NEW_PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        for other in &others {
            assert_eq!(origin.get_as("/me", &other.access).await.code(), "token_revoked");
            assert_eq!(origin.refresh(&other.refresh).await.code(), "session_closed");
        }
        assert_eq!(origin.get_as("/me", &asking.access).await.status, 200);
        assert_eq!(origin.refresh(&asking.refresh).await.status, 200);
        assert_eq!(origin.try_log_in("ada@example.org").await.status, 401);
        // No cut-off: a log-in with the new password waits for nothing.
        assert_eq!(origin.log_in_with("ada@example.org", NEW_PASSWORD).await.status, 200);
    }

    async fn answers_a_receipt_for_each_session_that_its_owner_may_follow(origin) {
        let asking = origin.user("ada@example.org").await;
        origin.log_in("ada@example.org").await;
        let answer = change(origin, &asking, PASSWORD, NEW_PASSWORD).await;
        let revocations = answer.body["revocations"].as_array().unwrap();
        assert_eq!(revocations.len(), 1, "{answer:?}");
        let path = format!("/revocations/{}", revocations[0]["id"].as_str().unwrap());
        assert_eq!(origin.get_as(&path, &asking.access).await.status, 200);
        let reason: String = sqlx::query_scalar("SELECT reason FROM revocations")
            .fetch_one(&origin.app.pool)
            .await
            .unwrap();
        assert_eq!(reason, "password_changed");
    }

    async fn the_owner_is_told_by_mail(origin) {
        let asking = origin.user("ada@example.org").await;
        change(origin, &asking, PASSWORD, NEW_PASSWORD).await;
        let mails = origin.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!((mails[0].to.as_str(), mails[0].subject.as_str()), ("ada@example.org", "Your password was changed"));
    }

    async fn makes_a_mailed_token_void(origin) {
        let asking = origin.user("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        assert_eq!(change(origin, &asking, PASSWORD, NEW_PASSWORD).await.status, 200);
        let body = json!({"token": token, "new_password": "a third horse of a test"});
        assert_eq!(origin.post("/password/reset", &body).await.code(), "invalid_mailed_token");
    }

    async fn refuses_a_wrong_current_password_and_counts_it(origin) {
        let asking = origin.user("ada@example.org").await;
        let other = origin.log_in("ada@example.org").await;
        assert_denial!(
            change(origin, &asking, "not the password", NEW_PASSWORD).await,
            @"403 wrong_password: The current password is wrong"
        );
        for _ in 0..9 {
            change(origin, &asking, "not the password", NEW_PASSWORD).await;
        }
        assert_eq!(change(origin, &asking, PASSWORD, NEW_PASSWORD).await.code(), "too_many_attempts");
        assert_eq!(origin.get_as("/me", &other.access).await.status, 200);
        assert!(origin.mails().await.is_empty());
    }

    async fn refuses_a_new_password_that_is_guessed_first_with_a_hint(origin) {
        let asking = origin.user("ada@example.org").await;
        let answer = change(origin, &asking, PASSWORD, "Password1").await;
        assert_eq!((answer.status, answer.code()), (422, "password_too_common"));
        assert_eq!(
            answer.text("hint"),
            "This is a very common password. Add another word or two. Uncommon words are better. \
             Capitalization doesn't help very much."
        );
        origin.log_in("ada@example.org").await;
    }

    async fn of_two_changes_at_once_one_succeeds(origin) {
        let one = origin.user("ada@example.org").await;
        let two = origin.log_in("ada@example.org").await;
        let (first, second) = tokio::join!(
            change(origin, &one, PASSWORD, NEW_PASSWORD),
            change(origin, &two, PASSWORD, "a third horse of a test"),
        );
        let (winner, loser) = if first.status == 200 { (&one, &two) } else { (&two, &one) };
        let refused = if first.status == 200 { &second } else { &first };
        assert!(first.status == 200 || second.status == 200, "{first:?} {second:?}");
        // It came when the password was another, or when its session was closed.
        assert!([401, 403].contains(&refused.status), "{refused:?}");
        assert_eq!(origin.get_as("/me", &winner.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &loser.access).await.status, 401);
    }

    async fn needs_a_token_that_holds(origin) {
        let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
        assert_eq!(origin.post("/password/change", &body).await.code(), "missing_token");
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        assert_eq!(change(origin, &tokens, PASSWORD, NEW_PASSWORD).await.code(), "token_revoked");
    }
}

async fn change(origin: &Origin, tokens: &Tokens, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    origin
        .post_json_as("/password/change", &tokens.access, &body)
        .await
}
