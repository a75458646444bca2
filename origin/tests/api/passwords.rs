//! Passwords behind the API: hashed anew at a log-in, and refused while there is no thread for them.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::body::Body;
use axum::http::Request;
use origin::passwords::Passwords;
use origin::router::router;
use serde_json::json;
use tower::ServiceExt;

use crate::harness::{
    Answer, CLIENT_SECRET, Origin, PASSWORD, assert_denial, assert_oauth_denial, on_both_stores,
};

on_both_stores! {
    async fn a_log_in_replaces_a_hash_with_other_parameters_and_only_with_the_right_password(origin) {
        origin.register("ada@example.org").await;
        let old = old_hash();
        sqlx::query("UPDATE users SET password_hash = $1").bind(&old).execute(&origin.app.pool).await.unwrap();
        assert_eq!(origin.log_in_with("ada@example.org", "wrong password").await.status, 401);
        assert_eq!(stored(origin).await, old);
        origin.log_in("ada@example.org").await;
        let anew = stored(origin).await;
        assert!(anew.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{anew}");
        origin.log_in("ada@example.org").await;
        assert_eq!(stored(origin).await, anew, "it is as we make them now");
    }

    async fn without_a_thread_that_is_free_every_password_is_put_off_and_nothing_is_counted(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password"]).await;
        let busy = Busy::new(origin);
        let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
        assert_denial!(busy.post("/login", &log_in).await, @r"
        503 passwords_busy: Too many passwords are being checked
        retry-after: given
        ");
        let register = json!({"email": "bob@example.org", "password": PASSWORD});
        let answer = busy.post("/register", &register).await;
        assert_eq!((answer.status, answer.code()), (503, "passwords_busy"));
        let form = format!("grant_type=password&username=ada%40example.org&password=x&client_id=app&client_secret={}", CLIENT_SECRET.replace(' ', "+"));
        assert_oauth_denial!(busy.send("/token", "application/x-www-form-urlencoded", form).await, @r"
        503 passwords_busy: Too many passwords are being checked
        retry-after: given
        error: temporarily_unavailable
        ");
        // More often than an account may fail.
        for _ in 0..12 {
            let answer = busy.post("/login", &log_in).await;
            assert_eq!((answer.status, answer.code()), (503, "passwords_busy"));
        }
        assert_eq!(origin.try_log_in("ada@example.org").await.status, 200);
        let users: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&origin.app.pool).await.unwrap();
        assert_eq!(users, 1);
    }
}

/// The same origin with no thread for passwords, so its queue is full from the start.
struct Busy(axum::Router);

impl Busy {
    fn new(origin: &Origin) -> Self {
        let mut app = origin.app.clone();
        app.passwords = Arc::new(Passwords::new(8, 0).unwrap());
        Self(router(app))
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.send(path, "application/json", body.to_string()).await
    }

    async fn send(&self, path: &str, content_type: &str, body: String) -> Answer {
        let request = Request::post(path).header("content-type", content_type);
        let request = request.body(Body::from(body)).unwrap();
        Answer::read(self.0.clone().oneshot(request).await.unwrap()).await
    }
}

async fn stored(origin: &Origin) -> String {
    sqlx::query_scalar("SELECT password_hash FROM users")
        .fetch_one(&origin.app.pool)
        .await
        .unwrap()
}

/// Of [`PASSWORD`], as an earlier release may have made it.
fn old_hash() -> String {
    let params = Params::new(8 * 1024, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PASSWORD.as_bytes(), &salt)
        .unwrap()
        .to_string()
}
