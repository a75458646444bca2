//! No token and no password in the database, in Redis, or in the log; no mailed token either,
//! although a mail is on its way through the outbox.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harness::{Origin, PASSWORD, Tokens, on_both_stores};

const NEW_PASSWORD: &str = "another horse of a test";

on_both_stores! {
    async fn neither_store_holds_a_token_or_a_password(origin) {
        let secrets = live_a_life(origin).await;
        let mut dump = String::new();
        for table in ["users", "sessions", "refresh_tokens", "revocations", "audit_log", "limits", "clients", "mails", "mailed_tokens"] {
            dump += &dump_table(origin, table).await;
        }
        if let Some(redis) = origin.stores.redis() {
            for key in redis.keys().await {
                dump += &key;
                let kind: String = redis.run(redis::cmd("TYPE").arg(&key).clone()).await;
                if kind == "string" {
                    dump += &redis.get(&key).await.unwrap_or_default();
                }
            }
        }
        assert_clean(&dump, &secrets);
    }
}

#[tokio::test]
async fn the_log_holds_no_token_and_no_password() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process: what the threads for passwords say counts, too.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    crate::harness::with_sqlite(async |origin| {
        let secrets = live_a_life(&origin).await;
        let text = log.end();
        assert!(text.contains("answered"), "the log was not caught: {text}");
        assert_clean(&text, &secrets);
    })
    .await;
}

#[tokio::test]
async fn debug_output_of_the_configuration_holds_no_secret() {
    crate::harness::with_sqlite(async |origin| {
        assert!(!format!("{:?}", origin.app).contains("the secret of an edge"));
    })
    .await;
}

/// What must be found nowhere afterwards.
async fn live_a_life(origin: &Origin) -> Vec<String> {
    let first = origin.user("ada@example.org").await;
    let second = Tokens::from(&origin.refresh(&first.refresh).await);
    let third = origin.log_in("ada@example.org").await;
    origin.get_as("/me", &second.access).await;
    origin.post_as("/logout", &second.access).await;
    origin.get_as("/me", &second.access).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    origin
        .post_json_as("/password/change", &third.access, &body)
        .await;
    origin.post_as("/logout-all", &third.access).await;
    origin
        .post_raw("/login", format!("{{\"password\": \"{PASSWORD}\", "))
        .await;
    let used = origin.reset_token("ada@example.org").await;
    let body = json!({"token": used, "new_password": PASSWORD});
    assert_eq!(origin.post("/password/reset", &body).await.status, 200);
    let unused = origin.reset_token("ada@example.org").await;
    let mut secrets = vec![PASSWORD.to_owned(), NEW_PASSWORD.to_owned(), used, unused];
    for tokens in [first, second, third] {
        secrets.extend(tokens.access.rsplit('.').next().map(str::to_owned));
        secrets.push(tokens.refresh);
    }
    secrets
}

fn assert_clean(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// Every text and binary value of a table; a number is no secret.
async fn dump_table(origin: &Origin, table: &str) -> String {
    use sqlx::{Column, Row};
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT * FROM {table}")))
        .fetch_all(&origin.app.pool)
        .await
        .unwrap();
    let mut dump = String::new();
    for row in rows {
        for column in row.columns() {
            if let Ok(Some(text)) = row.try_get::<Option<String>, _>(column.ordinal()) {
                dump += &text;
            } else if let Ok(Some(bytes)) = row.try_get::<Option<Vec<u8>>, _>(column.ordinal()) {
                dump += &String::from_utf8_lossy(&bytes);
            }
        }
    }
    dump
}

/// What was logged until the end; after it nothing is kept.
#[derive(Clone)]
struct Log(Arc<Mutex<Option<Vec<u8>>>>);

impl Default for Log {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Vec::new()))))
    }
}

impl Log {
    fn end(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().take().unwrap()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(kept) = self.0.lock().unwrap().as_mut() {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
