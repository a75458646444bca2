//! Stores that fail while the origin serves: nobody is told "logged out" who is not, nobody waits for
//! ever, and when the store is well again, so is the origin, by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;
use serde_json::{Value, json};
use stack::Standstill;

use crate::world::{DATABASE, PASSWORD, PATIENCE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_memory_or_without_an_answer_delays_no_log_out() {
    let mut world = World::start().await;
    let pid = Pid::from_raw(world.redis.process().id().cast_signed());
    for fault in ["out of memory", "stopped"] {
        let tokens = world.tokens(8).await;
        match fault {
            "stopped" => kill(pid, Signal::SIGSTOP).unwrap(),
            _ => drop(
                world
                    .redis
                    .command(&["CONFIG", "SET", "maxmemory", "1"])
                    .unwrap(),
            ),
        }
        world.log_outs_hold(&tokens[..4], &tokens[4..]).await;
        let while_broken = world.tokens(1).await;
        match fault {
            "stopped" => kill(pid, Signal::SIGCONT).unwrap(),
            _ => drop(
                world
                    .redis
                    .command(&["CONFIG", "SET", "maxmemory", "0"])
                    .unwrap(),
            ),
        }
        world.wait_until_redis_is_believed().await;
        for token in &tokens[..4] {
            assert_eq!(
                world.me(token).await,
                Some(StatusCode::UNAUTHORIZED),
                "{fault}"
            );
        }
        world.log_outs_hold(&tokens[4..], &while_broken).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_flushed_again_and_again_forgets_no_log_out() {
    let world = World::start().await;
    let tokens = world.tokens(24).await;
    let flushing = async {
        loop {
            world.redis.command(&["FLUSHALL"]).unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = world.log_outs_hold(&tokens[..20], &tokens[20..]) => {}
        () = flushing => {}
    }
    world.wait_until_redis_is_believed().await;
    for token in &tokens[..20] {
        assert_eq!(world.me(token).await, Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_begins_to_evict_keys_is_believed_no_more_until_it_keeps_them_again() {
    let world = World::start().await;
    for (policy, expected) in [("allkeys-random", false), ("noeviction", true)] {
        let setting = ["CONFIG", "SET", "maxmemory-policy", policy];
        world.redis.command(&setting).unwrap();
        stack::until("the policy is noticed", PATIENCE, async || {
            let ready = world.client.get(world.serving.url("/health/ready"));
            let ready: Value = ready.send().await?.json().await?;
            Ok(((ready["cache"] == "ok") == expected).then_some(()))
        })
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_cannot_write_takes_no_log_out_and_says_so() {
    let world = World::start().await;
    let tokens = world.tokens(4).await;
    let read_only = async |how: &str| {
        let statement =
            format!("ALTER DATABASE {DATABASE} SET default_transaction_read_only = {how}");
        world.postgres.query("postgres", &statement).unwrap();
        world.end_connections().await;
    };
    read_only("on").await;
    for token in &tokens {
        assert_eq!(
            world.log_out(token).await,
            Some(StatusCode::SERVICE_UNAVAILABLE)
        );
        let me = world.me(token).await;
        assert_ne!(me, Some(StatusCode::UNAUTHORIZED));
    }
    read_only("off").await;
    for token in &tokens {
        stack::until("it logs out again", PATIENCE, async || {
            Ok((world.log_out(token).await == Some(StatusCode::OK)).then_some(()))
        })
        .await
        .unwrap();
        assert_eq!(world.me(token).await, Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_ends_every_connection_costs_one_answer_at_most() {
    let world = World::start().await;
    let tokens = world.tokens(20).await;
    for pair in tokens.chunks(2) {
        // Several are open, and all of them are dead at once.
        join_all(tokens.iter().map(|token| world.sessions(token))).await;
        world.end_connections().await;
        match world.log_out(&pair[0]).await {
            Some(StatusCode::OK) => {}
            other => assert_eq!(other, Some(StatusCode::SERVICE_UNAVAILABLE)),
        }
        world.log_outs_hold(&pair[1..], &[]).await;
        let again = world.log_out(&pair[0]).await;
        assert!(
            [StatusCode::OK, StatusCode::UNAUTHORIZED]
                .map(Some)
                .contains(&again),
            "{again:?}"
        );
        assert_eq!(world.me(&pair[0]).await, Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_was_restarted_serves_the_first_request() {
    let mut world = World::start().await;
    let tokens = world.tokens(12).await;
    for (round, token) in tokens.iter().take(3).enumerate() {
        join_all(tokens[round..].iter().map(|token| world.sessions(token))).await;
        world.postgres.restart().await.unwrap();
        world
            .log_outs_hold(std::slice::from_ref(token), &tokens[round + 1..])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stands_still_is_not_waited_for_and_then_serves_again() {
    let mut world = World::start().await;
    let tokens = world.tokens(12).await;
    let (out, still_in) = tokens.split_at(8);
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
    for (round, asking) in out.chunks(4).enumerate() {
        if round == 0 {
            // Connections that were used a moment ago are used without a test.
            join_all(tokens.iter().map(|token| world.sessions(token))).await;
        }
        let standstill = Standstill::begin(world.postgres.process().id()).unwrap();
        let post = |path: &str| world.client.post(world.serving.url(path));
        let refused = asking
            .iter()
            .map(|token| post("/logout").bearer_auth(token))
            .chain([
                post("/login").json(&log_in),
                post("/register").json(&log_in),
            ]);
        join_all(refused.map(|request| world.is_refused(request))).await;
        drop(standstill);
        stack::until("it serves", PATIENCE, async || {
            Ok((world.try_log_in().await == Some(StatusCode::OK)).then_some(()))
        })
        .await
        .unwrap();
        for token in still_in {
            assert_eq!(world.me(token).await, Some(StatusCode::OK));
        }
    }
    // What was refused may still have been done, or be done now.
    for token in out {
        world.log_out(token).await;
        assert_eq!(world.me(token).await, Some(StatusCode::UNAUTHORIZED));
    }
    world.log_outs_hold(still_in, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_amid_fifty_log_outs_it_keeps_each_that_it_confirmed() {
    let mut world = World::start().await;
    let tokens = world.tokens(50).await;
    let answered = AtomicUsize::new(0);
    let log_out = async |token: &str| {
        let outcome = world.log_out(token).await;
        if answered.fetch_add(1, Ordering::Relaxed) == 10 {
            world.serving.signal(Signal::SIGKILL);
        }
        outcome
    };
    let outcomes = join_all(tokens.iter().map(|token| log_out(token))).await;
    world.serving = world.portcullis.serve();
    for (token, outcome) in tokens.iter().zip(&outcomes) {
        if *outcome == Some(StatusCode::OK) {
            assert_eq!(world.me(token).await, Some(StatusCode::UNAUTHORIZED));
        }
    }
    let confirmed = outcomes.iter().flatten().count();
    assert!(confirmed >= 10, "{confirmed}");
}
