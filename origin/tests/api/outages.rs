//! Redis and Postgres cut off, slow, emptied: what is revoked stays revoked, what is not done is not
//! claimed. Most need both stores, so there is no SQLite variant.

use std::time::Instant;

use crate::harness::{
    Answer, CLIENT_SECRET, Origin, REDIS_TIMEOUT, claims, eventually, may_lie_idle,
    with_postgres_and_redis, with_sqlite,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_holds_while_redis_is_cut_off_and_after() {
    with_postgres_and_redis(async |origin| {
        let before = origin.user("ada@example.org").await;
        let during = origin.log_in("ada@example.org").await;
        origin.post_as("/logout", &before.access).await;
        origin.stores.redis_proxy().unwrap().cut();
        assert_eq!(me(&origin, &before.access).await.code(), "token_revoked");
        assert_eq!(me(&origin, &during.access).await.status, 200);
        assert_eq!(origin.post_as("/logout", &during.access).await.status, 200);
        assert_eq!(me(&origin, &during.access).await.code(), "token_revoked");
        origin.stores.redis_proxy().unwrap().restore();
        // The old marker is there, and must not be believed: it misses the second log-out.
        let sid = claims(&during.access)["sid"].as_str().unwrap().to_owned();
        let key = format!("session_blacklist:{sid}");
        eventually(async || {
            assert_eq!(me(&origin, &during.access).await.code(), "token_revoked");
            origin.stores.redis_get(&key).await.is_some()
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_redis_is_not_believed_and_is_filled_again() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        origin.stores.redis().unwrap().flush().await;
        assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
        let key = format!(
            "session_blacklist:{}",
            claims(&tokens.access)["sid"].as_str().unwrap()
        );
        eventually(async || origin.stores.redis_get(&key).await.is_some()).await;
        origin.wait_for_redis().await;
        assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_while_redis_is_being_filled_leaves_no_complete_redis_behind() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        let key = format!("session_blacklist:{sid}");
        eventually(async || unconfirmed(&origin).await == 0).await;
        let redis = origin.stores.redis().unwrap();
        // The rebuild waits for the rows, and then, when they are in Redis, for the epoch.
        let rows = lock_table(&origin, "revocations").await;
        redis.flush().await;
        eventually(async || {
            let claim = origin.stores.redis_get("portcullis:rebuilding").await;
            claim.is_some()
        })
        .await;
        let epoch = lock_table(&origin, "cache_state").await;
        rows.rollback().await.unwrap();
        eventually(async || origin.stores.redis_get(&key).await.is_some()).await;
        redis.flush().await;
        epoch.rollback().await.unwrap();
        origin.wait_for_redis().await;
        assert!(origin.stores.redis_get(&key).await.is_some());
        assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_redis_lost_is_missed_and_written_again() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        let claims = claims(&tokens.access);
        eventually(async || unconfirmed(&origin).await == 0).await;
        let redis = origin.stores.redis().unwrap();
        let key = format!("session_blacklist:{}", claims["sid"].as_str().unwrap());
        let others = format!("blacklist:{}", claims["jti"].as_str().unwrap());
        redis
            .run::<()>(redis::cmd("DEL").arg(&key).arg(others).clone())
            .await;
        eventually(async || origin.stores.redis_get(&key).await.is_some()).await;
        assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_doubt_is_looked_up_in_the_database() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        // As after a crash between commit and write: the row is there, the key is not.
        sqlx::query(
            "INSERT INTO revocations
                (id, scope, issuer, name, reason, actor, recorded_at, retain_until)
             SELECT 'r', 'session', $1, sid, 'log_out', 'a test', last_seen_at, expires_at
             FROM sessions WHERE sid = $2",
        )
        .bind(origin.app.issuer.name())
        .bind(&sid)
        .execute(&origin.app.pool)
        .await
        .unwrap();
        assert_eq!(
            me(&origin, &tokens.access).await.status,
            200,
            "else this test proves nothing"
        );
        let doubt = format!("portcullis:doubt:session:{sid}");
        let redis = origin.stores.redis().unwrap();
        redis
            .run::<()>(redis::cmd("SADD").arg(doubt).arg("x").clone())
            .await;
        assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_of_another_epoch_or_another_redis_is_not_believed() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        origin.post_as("/logout", &tokens.access).await;
        let redis = origin.stores.redis().unwrap();
        let marker = origin
            .stores
            .redis_get("portcullis:complete")
            .await
            .unwrap();
        let (epoch, run_id) = marker.split_once(':').unwrap();
        for foreign in [
            format!("{}:{run_id}", epoch.parse::<u64>().unwrap() + 1),
            format!("{epoch}:x"),
        ] {
            redis.flush().await;
            redis
                .run::<()>(
                    redis::cmd("SET")
                        .arg("portcullis:complete")
                        .arg(foreign)
                        .clone(),
                )
                .await;
            assert_eq!(me(&origin, &tokens.access).await.code(), "token_revoked");
            eventually(async || {
                origin
                    .stores
                    .redis_get("portcullis:complete")
                    .await
                    .as_ref()
                    == Some(&marker)
            })
            .await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_costs_one_request_a_moment() {
    with_postgres_and_redis(async |origin| {
        const REQUESTS: u32 = 20;
        let tokens = origin.user("ada@example.org").await;
        origin.stores.redis_proxy().unwrap().hang();
        assert_eq!(me(&origin, &tokens.access).await.status, 200);
        let started = Instant::now();
        for _ in 0..REQUESTS {
            assert_eq!(me(&origin, &tokens.access).await.status, 200);
        }
        let each_waited = REDIS_TIMEOUT * REQUESTS;
        assert!(started.elapsed() < each_waited, "each waited for Redis");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_away_lets_as_many_fail_once_more_and_no_more() {
    with_postgres_and_redis(async |origin| {
        origin.register("ada@example.org").await;
        let fail_ten_times = async || {
            for _ in 0..10 {
                let answer = origin.log_in_with("ada@example.org", "wrong").await;
                assert_eq!(answer.status, 401, "{answer:?}");
            }
        };
        let is_closed = async || origin.try_log_in("ada@example.org").await.status == 429;
        fail_ten_times().await;
        assert!(is_closed().await);
        origin.stores.redis_proxy().unwrap().cut();
        fail_ten_times().await;
        assert!(is_closed().await);
        // Either counter closes the account now, whichever is asked.
        origin.stores.redis_proxy().unwrap().restore();
        eventually(async || {
            assert!(is_closed().await);
            origin.app.cache.as_ref().unwrap().is_connected()
        })
        .await;
        assert!(is_closed().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_redis_is_away() {
    with_postgres_and_redis(async |origin| {
        origin.register("ada@example.org").await;
        origin.stores.redis_proxy().unwrap().cut();
        let wrong = serde_json::json!({"email": "ada@example.org", "password": "wrong password"});
        for _ in 0..10 {
            assert_eq!(origin.post("/login", &wrong).await.status, 401);
        }
        assert_eq!(
            origin.try_log_in("ada@example.org").await.code(),
            "too_many_attempts"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_nothing_is_claimed_and_keys_are_still_served() {
    with_postgres_and_redis(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        let database = origin.stores.database_proxy().unwrap();
        database.cut();
        for answer in [
            origin.post_as("/logout", &tokens.access).await,
            origin.post_as("/logout-all", &tokens.access).await,
            origin.try_log_in("ada@example.org").await,
            origin.refresh(&tokens.refresh).await,
        ] {
            assert_eq!(
                (answer.status, answer.code()),
                (503, "store_unavailable"),
                "{answer:?}"
            );
            assert!(answer.denial().contains("retry-after"));
        }
        // RFC 7009, section 2.2.1: what could not be revoked is not said to be.
        for path in ["/token", "/revoke", "/introspect"] {
            let form = [("token", tokens.access.as_str())];
            let answer = origin
                .post_form(path, Some(("app", CLIENT_SECRET)), &form)
                .await;
            assert_eq!((answer.status, answer.code()), (503, "store_unavailable"));
            assert!(answer.oauth_denial().contains("retry-after"));
        }
        assert_eq!(origin.get("/.well-known/jwks.json").await.status, 200);
        assert_eq!(origin.get("/health/live").await.status, 200);
        assert_eq!(origin.get("/health/ready").await.status, 503);
        database.restore();
        eventually(async || me(&origin, &tokens.access).await.status == 200).await;
        assert_eq!(origin.refresh(&tokens.refresh).await.status, 200);
        assert_eq!(rows(&origin).await, 0, "something was half written");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_ins_that_an_outage_refuses_do_not_lock_the_account() {
    with_postgres_and_redis(async |origin| {
        origin.register("ada@example.org").await;
        let database = origin.stores.database_proxy().unwrap();
        database.cut();
        for _ in 0..2 {
            let log_ins = (0..10).map(|_| origin.try_log_in("ada@example.org"));
            for answer in futures_util::future::join_all(log_ins).await {
                assert_eq!(answer.code(), "store_unavailable", "{answer:?}");
            }
        }
        database.restore();
        eventually(async || origin.try_log_in("ada@example.org").await.status == 200).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_fails_does_not_keep_others_from_trying() {
    const REBUILDING: &str = "portcullis:rebuilding";
    with_postgres_and_redis(async |origin| {
        let pool = &origin.app.pool;
        // Holds up the rebuild while it reads, and then makes it fail.
        let mut tx = pool.begin().await.unwrap();
        may_lie_idle(&mut tx).await;
        sqlx::query("ALTER TABLE revocations RENAME TO elsewhere")
            .execute(&mut *tx)
            .await
            .unwrap();
        origin.stores.redis().unwrap().flush().await;
        eventually(async || origin.stores.redis_get(REBUILDING).await.is_some()).await;
        tx.commit().await.unwrap();
        eventually(async || origin.stores.redis_get(REBUILDING).await.is_none()).await;
        sqlx::query("ALTER TABLE elsewhere RENAME TO revocations")
            .execute(pool)
            .await
            .unwrap();
        origin.wait_for_redis().await;
    })
    .await;
}

async fn me(origin: &Origin, token: &str) -> Answer {
    origin.get_as("/me", token).await
}

/// Whoever reads the table waits until the transaction ends.
async fn lock_table(origin: &Origin, table: &str) -> sqlx::Transaction<'static, sqlx::Any> {
    let mut tx = origin.app.pool.begin().await.unwrap();
    may_lie_idle(&mut tx).await;
    let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    sqlx::query(sqlx::AssertSqlSafe(lock))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

async fn unconfirmed(origin: &Origin) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM revocations WHERE cached_at IS NULL")
        .fetch_one(&origin.app.pool)
        .await
        .unwrap()
}

async fn rows(origin: &Origin) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM revocations")
        .fetch_one(&origin.app.pool)
        .await
        .unwrap()
}

/// SQLite ends a transaction by itself when the disk is full or fails, and sqlx goes on counting it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_ended_leaves_no_connection_unusable() {
    with_sqlite(async |origin| {
        let tokens = origin.user("ada@example.org").await;
        for _ in 0..20 {
            let mut tx = origin::store::begin(&origin.app.pool).await.unwrap();
            sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        }
        let log_out = origin.post_as("/logout", &tokens.access).await;
        assert_eq!(log_out.status, 200, "{log_out:?}");
    })
    .await;
}
