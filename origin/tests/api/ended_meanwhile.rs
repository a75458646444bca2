//! A cut-off of everyone at the moment of a log-in, which takes no lock: nobody gets the token that it
//! revoked, and the audit log tells what became of its session.

use serde_json::json;

use crate::harness::{Origin, Tokens, eventually, may_lie_idle, on_both_stores, revoke};

on_both_stores! {
    async fn a_log_in_during_the_end_of_everyone_gets_a_token_that_lives(origin) {
        let tokens = log_in_during_the_end_of_everyone(origin).await;
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
        assert_eq!(origin.refresh(&tokens.refresh).await.status, 200);
        let open = origin.get_as("/sessions", &tokens.access).await;
        assert_eq!(open.body["sessions"].as_array().unwrap().len(), 1, "{open:?}");
    }

    async fn a_session_that_nobody_was_told_of_has_its_end_in_the_audit_log(origin) {
        log_in_during_the_end_of_everyone(origin).await;
        let sessions: Vec<(Option<i64>, i64, i64)> = sqlx::query_as(
            "SELECT revoked_at,
                 (SELECT COUNT(*) FROM audit_log WHERE subject = 'session:' || sid AND event = 'logged_in'),
                 (SELECT COUNT(*) FROM audit_log WHERE subject = 'session:' || sid AND event = 'session_closed')
             FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = 'ada@example.org')",
        )
        .fetch_all(&origin.app.pool)
        .await
        .unwrap();
        for session in &sessions {
            let (revoked_at, begun, ended) = *session;
            assert_eq!((begun, ended), (1, i64::from(revoked_at.is_some())), "{sessions:?}");
        }
        // The one that was passed over, where that can be, and its successor.
        let expected = if origin.stores.redis().is_some() { 2 } else { 1 };
        assert_eq!(sessions.len(), expected, "{sessions:?}");
    }
}

/// A log-in between the last look at the cut-offs and its commit. SQLite has no such moment: whoever
/// writes there is alone.
struct LogInUnderWay(sqlx::Transaction<'static, sqlx::Any>);

impl LogInUnderWay {
    async fn hold(origin: &Origin) -> Option<Self> {
        origin.stores.redis_url()?;
        let mut tx = origin.app.pool.begin().await.unwrap();
        may_lie_idle(&mut tx).await;
        sqlx::query("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
            .execute(&mut *tx)
            .await
            .unwrap();
        Some(Self(tx))
    }

    async fn wait(&self, origin: &Origin) {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted
                       AND relation = 'refresh_tokens'::regclass";
        eventually(async || {
            let count = sqlx::query_scalar(waiting).fetch_one(&origin.app.pool);
            let count: i64 = count.await.unwrap();
            count > 0
        })
        .await;
    }

    async fn go_on(self) {
        self.0.rollback().await.unwrap();
    }
}

/// The database gives up a statement that waits for long, and the log-in with it: on a machine that is
/// too slow for the steps between, they are taken again.
async fn log_in_during_the_end_of_everyone(origin: &Origin) -> Tokens {
    origin.operator("op@example.org").await;
    origin.register("ada@example.org").await;
    loop {
        let operator = origin.log_in("op@example.org").await;
        let waiters = origin.clock.waiters();
        let began = LogInUnderWay::hold(origin).await;
        if began.is_none() {
            end_everyone(origin, &operator).await;
        }
        let end = async {
            if let Some(began) = began {
                began.wait(origin).await;
                end_everyone(origin, &operator).await;
                began.go_on().await;
            }
            origin.wait_for_waiters(waiters + 1).await;
            origin.pass_cut_off();
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = origin.try_log_in("ada@example.org") => answer,
            () = end => unreachable!(),
        };
        if answer.code() != "store_unavailable" {
            return Tokens::from(&answer);
        }
        // The operator was cut off as well.
        origin.pass_cut_off();
    }
}

async fn end_everyone(origin: &Origin, operator: &Tokens) {
    let body = json!({"scope": "issuer", "reason": "the key leaked"});
    revoke(origin, operator, &body).await;
}
