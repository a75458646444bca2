//! Limits of `POST /login`, `/token`, `/register`, `/password/forgot` and `/password/reset`: what is refused,
//! for how long, and who is not.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{
    Answer, CLIENT_SECRET, Origin, PASSWORD, assert_denial, on_both_stores, with_sqlite_and,
};

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
        guess_from_ten_addresses(origin, 1).await;
        let answer = log_in(origin, &address(11), "ada@example.org", "wrong").await;
        assert_eq!(answer.header("ratelimit-policy"), "\"account-everywhere\";q=100;w=300", "{answer:?}");
        for home in [HOME, one, another] {
            assert_eq!(log_in(origin, home, "ada@example.org", PASSWORD).await.status, 200);
        }
    }

    async fn the_owner_gets_in_from_a_new_address_after_a_reset_while_a_stranger_goes_on_guessing(origin) {
        origin.register("ada@example.org").await;
        guess_from_ten_addresses(origin, 1).await;
        assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 429);
        reset(origin, HOME).await;
        guess_from_ten_addresses(origin, 11).await;
        assert_eq!(log_in(origin, &address(21), "ada@example.org", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 200);
    }

    async fn a_reset_forgets_what_was_failed_before_it(origin) {
        origin.register("ada@example.org").await;
        guess_from_ten_addresses(origin, 1).await;
        assert_eq!(log_in(origin, &address(1), "ada@example.org", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, HOME, "ada@example.org", PASSWORD).await.status, 429);
        reset(origin, &address(1)).await;
        for home in [&address(1), HOME] {
            assert_eq!(log_in(origin, home, "ada@example.org", PASSWORD).await.status, 200);
        }
    }

    async fn delays_of_an_account_grow_while_strangers_go_on(origin) {
        origin.register("ada@example.org").await;
        for window_secs in [300, 600, 1200] {
            guess_from_ten_addresses(origin, 1).await;
            let answer = log_in(origin, &address(11), "ada@example.org", PASSWORD).await;
            assert_eq!(answer.header("retry-after"), window_secs.to_string(), "{answer:?}");
            origin.advance(Duration::from_secs(window_secs));
        }
        assert_eq!(log_in(origin, &address(11), "ada@example.org", PASSWORD).await.status, 200);
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
        let answer = origin.post("/register", &body).await;
        assert_eq!(answer.header("ratelimit-policy"), "\"taken-address\";q=30;w=60", "{answer:?}");
        origin.register("bob@example.org").await;
    }

    async fn an_address_registers_so_many_an_hour_and_then_no_password_is_looked_at(origin) {
        let register = async |address: &str, email: &str, password: &str| {
            let body = json!({"email": email, "password": password});
            post(origin, address, "/register", &body).await
        };
        assert_eq!(register(HOME, "ada@example.org", PASSWORD).await.status, 201);
        for _ in 1..300 {
            assert_eq!(register(HOME, "nonsense", PASSWORD).await.code(), "invalid_email");
        }
        for password in [PASSWORD, "Password123"] {
            let answer = register(HOME, "bob@example.org", password).await;
            assert_eq!(answer.status, 429, "{answer:?}");
            assert_eq!(answer.header("ratelimit-policy"), "\"register-address\";q=300;w=3600");
        }
        assert_eq!(register(&address(1), "bob@example.org", PASSWORD).await.status, 201);
        origin.advance(Duration::from_hours(1));
        assert_eq!(register(HOME, "eve@example.org", PASSWORD).await.status, 201);
    }

    async fn an_address_orders_so_many_mails_an_hour_whomever_they_are_for(origin) {
        let forget = async |address: &str, number: u32| {
            let body = json!({"email": format!("user{number}@example.org")});
            post(origin, address, "/password/forgot", &body).await
        };
        for number in 0..30 {
            assert_eq!(forget(HOME, number).await.status, 200);
        }
        let answer = forget(HOME, 30).await;
        assert_eq!(answer.status, 429, "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), "\"forgotten-address\";q=30;w=3600");
        assert_eq!(forget(&address(1), 30).await.status, 200);
        origin.advance(Duration::from_hours(1));
        assert_eq!(forget(HOME, 30).await.status, 200);
    }

    async fn an_address_tries_so_many_mailed_tokens_a_minute_of_either_kind(origin) {
        let reset = json!({"token": "x".repeat(43), "new_password": PASSWORD});
        let verify = json!({"token": "x".repeat(43)});
        for _ in 0..15 {
            for (path, body) in [("/password/reset", &reset), ("/email/verify", &verify)] {
                assert_eq!(post(origin, HOME, path, body).await.code(), "invalid_mailed_token");
            }
        }
        for (path, body) in [("/password/reset", &reset), ("/email/verify", &verify)] {
            let answer = post(origin, HOME, path, body).await;
            assert_eq!(answer.status, 429, "{answer:?}");
            assert_eq!(answer.header("ratelimit-policy"), "\"mailed-token-address\";q=30;w=60");
            assert_eq!(post(origin, &address(1), path, body).await.status, 422);
        }
        origin.advance(Duration::from_mins(1));
        assert_eq!(post(origin, HOME, "/password/reset", &reset).await.status, 422);
    }

    async fn a_client_that_does_not_know_its_secret_is_refused_after_so_many_times(origin) {
        let form = [("grant_type", "client_credentials")];
        for _ in 0..60 {
            assert_eq!(origin.post_form("/token", Some(("nobody", "x")), &form).await.status, 401);
        }
        assert_eq!(origin.post_form("/token", Some(("nobody", "x")), &form).await.status, 429);
    }
}

/// Another attempt is always faster: as if the counter was written in between, every time.
#[tokio::test]
async fn an_attempt_that_never_gets_at_its_counter_is_told_to_come_back() {
    with_sqlite_and(&[], async |origin| {
        sqlx::query(
            "CREATE TRIGGER contention BEFORE INSERT ON limits BEGIN SELECT RAISE(IGNORE); END",
        )
        .execute(&origin.app.pool)
        .await
        .unwrap();
        let body = json!({"email": "ada@example.org"});
        assert_denial!(&origin.post("/password/forgot", &body).await, @r"
        503 limits_busy: Too many attempts at once; try again
        retry-after: given
        ");
    })
    .await;
}

#[tokio::test]
async fn who_registers_many_from_one_address_sets_another_limit() {
    with_sqlite_and(&["--registrations-per-hour=1"], async |origin| {
        origin.register("ada@example.org").await;
        let body = json!({"email": "bob@example.org", "password": PASSWORD});
        assert_eq!(origin.post("/register", &body).await.status, 429);
    })
    .await;
}

/// A hundred times, ten from each: all that strangers have.
async fn guess_from_ten_addresses(origin: &Origin, first: u32) {
    for number in first..first + 10 {
        let stranger = address(number);
        let guesses = (0..10).map(|_| log_in(origin, &stranger, "ada@example.org", "wrong"));
        let answers = join_all(guesses).await;
        assert!(answers.iter().all(|answer| answer.status == 401));
    }
}

async fn reset(origin: &Origin, address: &str) {
    let token = origin.reset_token("ada@example.org").await;
    let body = json!({"token": token, "new_password": PASSWORD});
    assert_eq!(
        post(origin, address, "/password/reset", &body).await.status,
        200
    );
    origin.pass_cut_off();
}

async fn log_in(origin: &Origin, address: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    post(origin, address, "/login", &body).await
}

async fn post(origin: &Origin, address: &str, path: &str, body: &Value) -> Answer {
    let peer = SocketAddr::new(address.parse().unwrap(), 1);
    let request = Request::post(path)
        .header("content-type", "application/json")
        .extension(ConnectInfo(peer));
    origin
        .send(request.body(body.to_string().into()).unwrap())
        .await
}

fn address(number: u32) -> String {
    format!("198.51.100.{number}")
}
