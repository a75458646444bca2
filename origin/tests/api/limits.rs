//! Limits of `POST /login`, `/token` and `/register`: what is refused, for how long, and who is not.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Answer, CLIENT_SECRET, Origin, PASSWORD, assert_denial, on_both_stores};

const HOME: &str = "192.0.2.1";

on_both_stores! {
    async fn ten_failures_a_minute_close_an_account_to_that_address_and_then_it_opens(origin) {
        origin.register("ada@example.org").await;
        for _ in 0..10 {
            assert_eq!(log_in(origin, HOME, "ada@example.org", "wrong").await.status, 401);
        }
        let answer = log_in(origin, HOME, "ada@example.org", PASSWORD).await;
        assert_denial!(&answer, @r"
        429 too_many_attempts: Too many failed attempts
        retry-after: given
        ");
        assert_eq!(answer.header("ratelimit-policy"), "\"account\";q=10;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"account\";r=0;t={}", answer.header("retry-after")));
        origin.register("bob@example.org").await;
        assert_eq!(log_in(origin, HOME, "bob@example.org", PASSWORD).await.status, 200);
        origin.advance(Duration::from_mins(1));
        assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 200);
    }

    async fn delays_grow_with_each_window_that_is_used_up(origin) {
        origin.register("ada@example.org").await;
        for window_secs in [60, 120, 240] {
            for _ in 0..10 {
                assert_eq!(log_in(origin, HOME, "ada@example.org", "wrong").await.status, 401);
            }
            let answer = log_in(origin, HOME, "ada@example.org", "wrong").await;
            assert_eq!(answer.header("retry-after"), window_secs.to_string(), "{answer:?}");
            origin.advance(Duration::from_secs(window_secs));
        }
    }

    async fn guesses_made_at_once_are_counted_before_they_are_checked(origin) {
        origin.register("ada@example.org").await;
        let guesses = (0..30).map(|_| log_in(origin, HOME, "ada@example.org", "wrong"));
        let answers = join_all(guesses).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
        assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 20);
    }

    async fn as_many_good_log_ins_at_once_as_anyone_likes_are_let_in(origin) {
        origin.register("ada@example.org").await;
        let answers = join_all((0..15).map(|_| log_in(origin, HOME, "ada@example.org", PASSWORD))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200; 15]);
    }

    async fn a_success_forgets_what_was_mistyped_before_it(origin) {
        origin.register("ada@example.org").await;
        for _ in 0..3 {
            for _ in 0..9 {
                assert_eq!(log_in(origin, HOME, "ada@example.org", "wrong").await.status, 401);
            }
            assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 200);
        }
    }

    async fn a_stranger_who_fails_everywhere_closes_no_account_to_its_owner(origin) {
        origin.register("ada@example.org").await;
        let (one, another) = ("2001:db8:1:2::1", "2001:db8:1:2:a:b:c:d");
        for home in [HOME, one] {
            assert_eq!(log_in(origin, home, "ada@example.org", PASSWORD).await.status, 200);
        }
        for number in 1..=10 {
            let stranger = address(number);
            let guesses = (0..10).map(|_| log_in(origin, &stranger, "ada@example.org", "wrong"));
            assert!(join_all(guesses).await.iter().all(|answer| answer.status == 401));
        }
        let answer = log_in(origin, &address(11), "ada@example.org", "wrong").await;
        assert_eq!(answer.header("ratelimit-policy"), "\"account-everywhere\";q=100;w=3600", "{answer:?}");
        for home in [HOME, one, another] {
            assert_eq!(log_in(origin, home, "ada@example.org", PASSWORD).await.status, 200);
        }
    }

    async fn an_address_that_fails_at_many_accounts_is_refused_at_all_of_them(origin) {
        origin.register("ada@example.org").await;
        // Fewer at once than may wait for a password to be judged where there is one core.
        for tens in 0..6 {
            let guesses = (0..10).map(|ones| async move {
                log_in(origin, HOME, &format!("user{tens}{ones}@example.org"), "wrong").await.status
            });
            assert_eq!(join_all(guesses).await, [401; 10]);
        }
        assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, &address(1), "ada@example.org", PASSWORD).await.status, 200);
    }

    async fn the_addresses_of_one_home_are_one_address(origin) {
        origin.register("ada@example.org").await;
        for number in 0..10 {
            let home = format!("2001:db8:1:2::{number}");
            assert_eq!(log_in(origin, &home, "ada@example.org", "wrong").await.status, 401);
        }
        assert_eq!(log_in(origin, "2001:db8:1:2:a:b:c:d", "ada@example.org", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, "2001:db8:1:3::1", "ada@example.org", PASSWORD).await.status, 200);
    }

    async fn the_password_grant_and_the_log_in_share_their_limit(origin) {
        origin.register("ada@example.org").await;
        origin.client("app", &["password"]).await;
        let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", "wrong")];
        for _ in 0..10 {
            let answer = origin.post_form("/token", Some(("app", CLIENT_SECRET)), &form).await;
            assert_eq!(answer.body["error"], "invalid_grant");
        }
        let answer = origin.token_by_password("app", "ada@example.org").await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (429, Some("temporarily_unavailable")));
        assert_eq!(origin.try_log_in("ada@example.org").await.status, 429);
    }

    async fn whose_account_exists_is_told_to_an_address_so_often_and_not_more(origin) {
        origin.register("ada@example.org").await;
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        for _ in 0..30 {
            assert_eq!(origin.post("/register", &body).await.status, 409);
        }
        assert_eq!(origin.post("/register", &body).await.status, 429);
        origin.register("bob@example.org").await;
    }

    async fn a_client_that_does_not_know_its_secret_is_refused_after_so_many_times(origin) {
        let form = [("grant_type", "client_credentials")];
        for _ in 0..60 {
            assert_eq!(origin.post_form("/token", Some(("nobody", "x")), &form).await.status, 401);
        }
        assert_eq!(origin.post_form("/token", Some(("nobody", "x")), &form).await.status, 429);
    }
}

async fn log_in(origin: &Origin, address: &str, email: &str, password: &str) -> Answer {
    let peer = SocketAddr::new(address.parse().unwrap(), 1);
    let body = json!({"email": email, "password": password});
    let request = Request::post("/login")
        .header("content-type", "application/json")
        .extension(ConnectInfo(peer));
    origin
        .send(request.body(body.to_string().into()).unwrap())
        .await
}

fn address(number: u32) -> String {
    format!("198.51.100.{number}")
}
