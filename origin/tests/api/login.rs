//! `POST /login`.

use std::time::Duration;

use serde_json::json;

use crate::harness::{PASSWORD, Tokens, assert_text, claims, on_both_stores};

on_both_stores! {
    async fn answers_a_pair_of_tokens_that_no_cache_keeps(origin) {
        let id = origin.register("ada@example.org").await;
        let answer = origin.try_log_in("ADA@example.org").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 3600);
        assert_eq!(answer.body["scope"], "profile");
        let claims = claims(&answer.text("access_token"));
        assert_eq!(claims["sub"], id.as_str());
        assert_eq!(claims["iss"], "https://origin.example");
        assert_eq!(claims["aud"], "portcullis");
        assert_eq!(claims["client_id"], "portcullis");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
        assert_eq!(claims["sid"].as_str().unwrap().len(), 22);
        assert_eq!(answer.text("refresh_token").len(), 43);
    }

    async fn gives_one_answer_for_a_wrong_password_and_an_unknown_address(origin) {
        origin.register("ada@example.org").await;
        let mut answers = Vec::new();
        for email in ["ada@example.org", "eve@example.org", "not an address", "a\0@example.org"] {
            let body = json!({"email": email, "password": "wrong password"});
            answers.push(origin.post("/login", &body).await.denial());
        }
        answers.dedup();
        assert_text!(answers.join("\n--\n"), @r#"
        401 invalid_credentials: E-mail address or password is wrong
        www-authenticate: Bearer realm="portcullis"
        "#);
    }

    async fn refuses_a_disabled_user_as_if_the_password_were_wrong(origin) {
        origin.register("ada@example.org").await;
        sqlx::query("UPDATE users SET disabled_at = 1").execute(&origin.app.pool).await.unwrap();
        assert_eq!(origin.try_log_in("ada@example.org").await.code(), "invalid_credentials");
    }

    async fn hashes_a_password_anew_when_it_was_hashed_with_other_parameters(origin) {
        origin.register("ada@example.org").await;
        sqlx::query("UPDATE users SET password_hash = $1")
            .bind(weak_hash())
            .execute(&origin.app.pool)
            .await
            .unwrap();
        origin.log_in("ada@example.org").await;
        let stored: String = sqlx::query_scalar("SELECT password_hash FROM users")
            .fetch_one(&origin.app.pool)
            .await
            .unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        origin.log_in("ada@example.org").await;
    }

    async fn a_log_in_in_the_second_of_a_log_out_of_all_sessions_works(origin) {
        let tokens = origin.user("ada@example.org").await;
        assert_eq!(origin.post_as("/logout-all", &tokens.access).await.status, 200);
        let (answer, ()) = tokio::join!(origin.try_log_in("ada@example.org"), async {
            // The log-in waits for the next second; the clock reaches it.
            origin.wait_for_waiters(1).await;
            origin.advance(Duration::from_secs(1));
        });
        let new = Tokens::from(&answer);
        assert_eq!(origin.get_as("/me", &new.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 401);
    }
}

fn weak_hash() -> String {
    use argon2::password_hash::{PasswordHasher, SaltString};
    let params = argon2::Params::new(8 * 1024, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password(PASSWORD.as_bytes(), &salt)
        .unwrap()
        .to_string()
}
