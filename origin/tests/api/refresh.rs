//! `POST /refresh`: rotation, duplicates, lost answers, reuse, and races with a log-out.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;

use crate::harness::{Tokens, assert_denial, claims, on_both_stores};

on_both_stores! {
    async fn rotates_the_pair_within_the_session(origin) {
        let first = origin.user("ada@example.org").await;
        let answer = origin.refresh(&first.refresh).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let second = Tokens::from(&answer);
        assert_ne!(second.refresh, first.refresh);
        let (old, new) = (claims(&first.access), claims(&second.access));
        assert_eq!(old["sid"], new["sid"]);
        assert_eq!(old["auth_time"], new["auth_time"]);
        assert_ne!(old["jti"], new["jti"]);
        assert_eq!(origin.get_as("/me", &second.access).await.status, 200);
    }

    async fn a_duplicate_gets_the_same_successor_even_when_that_was_used(origin) {
        let first = origin.user("ada@example.org").await;
        let second = Tokens::from(&origin.refresh(&first.refresh).await);
        let third = Tokens::from(&origin.refresh(&second.refresh).await);
        origin.advance(Duration::from_secs(10));
        let again = Tokens::from(&origin.refresh(&first.refresh).await);
        assert_eq!(again.refresh, second.refresh);
        assert_eq!(Tokens::from(&origin.refresh(&second.refresh).await).refresh, third.refresh);
    }

    async fn tabs_that_refresh_at_once_get_one_successor(origin) {
        let first = origin.user("ada@example.org").await;
        let answers = join_all((0..50).map(|_| origin.refresh(&first.refresh))).await;
        let successors: HashSet<_> = answers.iter().map(|a| Tokens::from(a).refresh).collect();
        assert_eq!(successors.len(), 1);
        let rows: Vec<(Option<i64>,)> = sqlx::query_as("SELECT used_at FROM refresh_tokens")
            .fetch_all(&origin.app.pool)
            .await
            .unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows.iter().filter(|row| row.0.is_none()).count(), 1);
    }

    async fn a_lost_answer_is_replayed_as_long_as_the_successor_is_unused(origin) {
        let first = origin.user("ada@example.org").await;
        let lost = Tokens::from(&origin.refresh(&first.refresh).await);
        origin.advance(Duration::from_hours(24));
        let replayed = Tokens::from(&origin.refresh(&first.refresh).await);
        assert_eq!(replayed.refresh, lost.refresh);
    }

    async fn reuse_ends_the_session_and_is_audited(origin) {
        let first = origin.user("ada@example.org").await;
        let elsewhere = origin.log_in("ada@example.org").await;
        let second = Tokens::from(&origin.refresh(&first.refresh).await);
        let third = Tokens::from(&origin.refresh(&second.refresh).await);
        origin.advance(Duration::from_secs(11));
        assert_denial!(origin.refresh(&first.refresh).await, @r#"
        401 refresh_token_reused: The refresh token was used before; its session has been closed
        www-authenticate: Bearer realm="portcullis"
        "#);
        assert_eq!(origin.refresh(&third.refresh).await.code(), "session_closed");
        assert_eq!(origin.get_as("/me", &third.access).await.code(), "token_revoked");
        // The chain, never the user.
        assert_eq!(origin.refresh(&elsewhere.refresh).await.status, 200);
        let audited: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM audit_log WHERE event = 'refresh_token_reused'")
                .fetch_one(&origin.app.pool)
                .await
                .unwrap();
        assert_eq!(audited, 1);
    }

    async fn refuses_unknown_and_expired_tokens_each_by_its_code(origin) {
        let tokens = origin.user("ada@example.org").await;
        for unknown in ["", "x", &tokens.access, "a\0b"] {
            assert_eq!(origin.refresh(unknown).await.code(), "refresh_token_unknown");
        }
        origin.advance(Duration::from_hours(24 * 30));
        assert_denial!(origin.refresh(&tokens.refresh).await, @r#"
        401 refresh_token_expired: The refresh token has expired
        www-authenticate: Bearer realm="portcullis"
        "#);
    }

    async fn a_token_of_another_client_is_unknown_here(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password", "refresh_token"]).await;
        let tokens = Tokens::from(&origin.token_by_password("app", "ada@example.org").await);
        assert_eq!(origin.refresh(&tokens.refresh).await.code(), "refresh_token_unknown");
    }

    async fn no_token_survives_a_log_out_that_races_with_refreshing(origin) {
        origin.register("ada@example.org").await;
        for _ in 0..10 {
            let tokens = origin.log_in("ada@example.org").await;
            let (refreshed, logged_out) = tokio::join!(
                join_all((0..4).map(|_| origin.refresh(&tokens.refresh))),
                origin.post_as("/logout", &tokens.access),
            );
            assert_eq!(logged_out.status, 200);
            for answer in refreshed.iter().filter(|answer| answer.status == 200) {
                let minted = Tokens::from(answer);
                assert_eq!(origin.get_as("/me", &minted.access).await.code(), "token_revoked");
                assert_eq!(origin.refresh(&minted.refresh).await.code(), "session_closed");
            }
        }
    }

    async fn no_token_survives_a_log_out_among_fifty_refreshes_of_one(origin) {
        let tokens = origin.user("ada@example.org").await;
        let refreshes = || join_all((0..25).map(|_| origin.refresh(&tokens.refresh)));
        let (before, logged_out, after) = tokio::join!(
            refreshes(),
            origin.post_as("/logout", &tokens.access),
            refreshes(),
        );
        assert_eq!(logged_out.status, 200);
        for answer in before.iter().chain(&after) {
            if answer.status != 200 {
                assert_eq!(answer.code(), "session_closed");
                continue;
            }
            let minted = Tokens::from(answer);
            assert_eq!(origin.get_as("/me", &minted.access).await.code(), "token_revoked");
            assert_eq!(origin.refresh(&minted.refresh).await.code(), "session_closed");
        }
    }

    async fn no_token_survives_a_log_out_everywhere_that_races_with_refreshing(origin) {
        origin.register("ada@example.org").await;
        let tokens = origin.log_in("ada@example.org").await;
        let (refreshed, logged_out) = tokio::join!(
            join_all((0..4).map(|_| origin.refresh(&tokens.refresh))),
            origin.post_as("/logout-all", &tokens.access),
        );
        assert_eq!(logged_out.status, 200);
        for answer in refreshed.iter().filter(|answer| answer.status == 200) {
            let minted = Tokens::from(answer);
            assert_eq!(origin.get_as("/me", &minted.access).await.code(), "all_sessions_revoked");
            assert_eq!(origin.refresh(&minted.refresh).await.code(), "session_closed");
        }
    }

    async fn a_role_that_was_taken_away_takes_its_scope_along(origin) {
        let tokens = origin.operator("op@example.org").await;
        assert_eq!(claims(&tokens.access)["scope"], "profile operator");
        sqlx::query("UPDATE users SET roles = ''").execute(&origin.app.pool).await.unwrap();
        let refreshed = Tokens::from(&origin.refresh(&tokens.refresh).await);
        assert_eq!(claims(&refreshed.access)["scope"], "profile");
    }

    async fn the_store_holds_only_what_the_holder_of_the_token_can_open(origin) {
        let first = origin.user("ada@example.org").await;
        let second = Tokens::from(&origin.refresh(&first.refresh).await);
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT hash, successor_sealed FROM refresh_tokens")
                .fetch_all(&origin.app.pool)
                .await
                .unwrap();
        assert_eq!(rows.len(), 2);
        for (hash, sealed) in rows {
            assert_eq!(hash.len(), 32);
            let stored = [hash, sealed.unwrap_or_default()].concat();
            for token in [&first.refresh, &second.refresh] {
                assert!(!stored.windows(token.len()).any(|window| window == token.as_bytes()));
            }
        }
    }
}
