//! `POST /logout` and `POST /logout-all`.

use std::time::Duration;

use crate::harness::{
    Tokens, assert_denial, claims, eventually, on_both_stores, with_postgres_and_redis,
};

on_both_stores! {
    async fn a_logged_out_token_is_refused_and_so_is_its_refresh_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let answer = origin.post_as("/logout", &tokens.access).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["message"], "Successfully logged out");
        assert_denial!(origin.get_as("/me", &tokens.access).await, @r#"
        401 token_revoked: Token has been revoked
        www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="Token has been revoked"
        "#);
        assert_denial!(origin.refresh(&tokens.refresh).await, @r#"
        401 session_closed: The session has been closed
        www-authenticate: Bearer realm="portcullis"
        "#);
    }

    async fn the_receipt_says_by_when_every_edge_refuses_the_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let answer = origin.post_as("/logout", &tokens.access).await;
        let receipt = &answer.body["revocation"];
        assert_eq!(receipt["scope"], "session");
        assert_eq!(receipt["status"], "recorded");
        let recorded_at = parse(receipt["recorded_at"].as_str().unwrap());
        let effective_by = parse(receipt["effective_by"].as_str().unwrap());
        // No list has gone out: at most one that is being made now can miss it.
        assert!((effective_by.secs_since(recorded_at) - 180.0).abs() < 0.01);
    }

    async fn another_session_of_the_user_goes_on(origin) {
        let first = origin.user("ada@example.org").await;
        let second = origin.log_in("ada@example.org").await;
        assert_eq!(origin.post_as("/logout", &first.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &second.access).await.status, 200);
        assert_eq!(origin.refresh(&second.refresh).await.status, 200);
    }

    async fn every_token_of_the_session_dies_with_it(origin) {
        let first = origin.user("ada@example.org").await;
        let second = crate::harness::Tokens::from(&origin.refresh(&first.refresh).await);
        assert_eq!(origin.post_as("/logout", &first.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &second.access).await.code(), "token_revoked");
        assert_eq!(origin.refresh(&second.refresh).await.code(), "session_closed");
    }

    async fn logging_out_twice_is_refused_the_second_time(origin) {
        let tokens = origin.user("ada@example.org").await;
        assert_eq!(origin.post_as("/logout", &tokens.access).await.status, 200);
        assert_eq!(origin.post_as("/logout", &tokens.access).await.code(), "token_revoked");
    }

    async fn logging_out_everywhere_ends_every_session_of_this_user_only(origin) {
        let first = origin.user("ada@example.org").await;
        let second = origin.log_in("ada@example.org").await;
        let other = origin.user("bob@example.org").await;
        let answer = origin.post_as("/logout-all", &first.access).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["message"], "Successfully logged out from all sessions");
        assert_eq!(answer.body["revocation"]["scope"], "user");
        for tokens in [&first, &second] {
            assert_denial!(origin.get_as("/me", &tokens.access).await, @r#"
            401 all_sessions_revoked: All user sessions have been revoked
            www-authenticate: Bearer realm="portcullis", error="invalid_token", error_description="All user sessions have been revoked"
            "#);
            assert_eq!(origin.refresh(&tokens.refresh).await.code(), "session_closed");
        }
        assert_eq!(origin.get_as("/me", &other.access).await.status, 200);
    }

    async fn a_log_out_of_all_sessions_on_a_clock_that_is_behind_ends_the_token_too(origin) {
        let tokens = origin.user("ada@example.org").await;
        origin.clock.step_back(Duration::from_secs(1));
        assert_eq!(origin.post_as("/logout-all", &tokens.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
        let (answer, ()) = tokio::join!(origin.try_log_in("ada@example.org"), async {
            origin.wait_for_waiters(1).await;
            origin.advance(Duration::from_secs(2));
        });
        let new = Tokens::from(&answer);
        assert_eq!(origin.get_as("/me", &new.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
    }

    async fn one_transaction_closes_records_and_audits(origin) {
        let tokens = origin.user("ada@example.org").await;
        let answer = origin.post_as("/logout", &tokens.access).await;
        let id = answer.body["revocation"]["id"].as_str().unwrap().to_owned();
        let pool = &origin.app.pool;
        let open: i64 = count(pool, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL").await;
        assert_eq!(open, 0);
        let (scope, before): (String, Option<i64>) =
            sqlx::query_as("SELECT scope, before FROM revocations").fetch_one(pool).await.unwrap();
        assert_eq!((scope.as_str(), before), ("session", None));
        let audited: (String, String) =
            sqlx::query_as("SELECT subject, revocation_id FROM audit_log WHERE event = 'logged_out'")
                .fetch_one(pool)
                .await
                .unwrap();
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        assert_eq!(audited, (format!("session:{sid}"), id));
    }

    async fn a_token_that_has_almost_expired_can_be_logged_out(origin) {
        let tokens = origin.user("ada@example.org").await;
        origin.advance(Duration::from_secs(3600 + 20));
        assert_eq!(origin.post_as("/logout", &tokens.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "token_revoked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_names_the_token_and_its_session_for_the_rest_of_their_lives() {
    with_postgres_and_redis(async |origin| {
        let redis = origin.stores.redis().unwrap();
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        let claims = claims(&tokens.access);
        let token = format!("blacklist:{}", claims["jti"].as_str().unwrap());
        let session = format!("session_blacklist:{}", claims["sid"].as_str().unwrap());
        for key in [token, session] {
            let value = redis.get(&key).await.unwrap();
            assert!(value.ends_with('Z') && value.contains('T'), "{value}");
            let ttl = redis.ttl_secs(&key).await;
            assert!((3600..=3631).contains(&ttl), "{key} {ttl}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_holds_the_cut_off_of_a_user() {
    with_postgres_and_redis(async |origin| {
        let redis = origin.stores.redis().unwrap();
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout-all", &tokens.access).await;
        let claims = claims(&tokens.access);
        let key = format!("user_blacklist:{}", claims["sub"].as_str().unwrap());
        let cut_off: u64 = redis.get(&key).await.unwrap().parse().unwrap();
        assert_eq!(cut_off, claims["iat"].as_u64().unwrap() + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_when_redis_has_it() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        eventually(async || {
            count(
                &origin.app.pool,
                "SELECT COUNT(*) FROM revocations WHERE cached_at IS NOT NULL",
            )
            .await
                == 1
        })
        .await;
    })
    .await;
}

async fn count(pool: &sqlx::AnyPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

fn parse(text: &str) -> shared::UnixSeconds {
    origin::iso_time::parse(text).unwrap()
}
