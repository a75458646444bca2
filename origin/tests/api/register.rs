//! `POST /register`.

use serde_json::json;

use crate::harness::{PASSWORD, assert_denial, on_both_stores};

on_both_stores! {
    async fn answers_the_new_user_without_the_password(origin) {
        let body = json!({"email": "Ada@Example.org", "password": PASSWORD, "name": "Ada"});
        let answer = origin.post("/register", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["email"], "ada@example.org");
        assert_eq!(answer.body["name"], "Ada");
        assert_eq!(answer.body["email_verified"], false);
        assert_eq!(answer.body["roles"], json!([]));
        assert_eq!(answer.body["id"].as_str().unwrap().len(), 22);
        assert!(!answer.raw.contains(PASSWORD));
    }

    async fn refuses_an_email_that_is_taken_in_any_spelling(origin) {
        origin.register("ada@example.org").await;
        let body = json!({"email": "ADA@example.ORG", "password": PASSWORD});
        let answer = origin.post("/register", &body).await;
        assert_denial!(answer, @"409 email_taken: An account with this e-mail address exists");
    }

    async fn of_two_who_register_one_address_at_once_one_succeeds(origin) {
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let (one, two) = tokio::join!(origin.post("/register", &body), origin.post("/register", &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }

    async fn refuses_bad_addresses_names_and_passwords_each_by_its_code(origin) {
        let long = "x".repeat(129);
        for (email, password, name, code) in [
            ("ada", PASSWORD, "Ada", "invalid_email"),
            ("ada@example.org\0", PASSWORD, "Ada", "invalid_email"),
            ("ada@example.org", "sh0rt!", "Ada", "password_too_short"),
            ("ada@example.org", long.as_str(), "Ada", "password_too_long"),
            ("ada@example.org", "Password123", "Ada", "password_too_common"),
            ("ada@example.org", PASSWORD, "A\0da", "invalid_name"),
        ] {
            let body = json!({"email": email, "password": password, "name": name});
            let answer = origin.post("/register", &body).await;
            assert_eq!((answer.status, answer.code()), (422, code), "{answer:?}");
            assert!(!answer.raw.contains(password), "{answer:?}");
        }
    }
}
