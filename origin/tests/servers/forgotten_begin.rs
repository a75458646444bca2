//! A BEGIN that is given up is unknown to the origin and not to Postgres: nothing that came after it
//! may be told as done, and be in a transaction that nobody ends.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use stack::Standstill;

use crate::world::{DATABASE, PATIENCE, World};

const SESSIONS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_after_a_begin_that_was_given_up_is_there_for_others() {
    let mut world = World::start().await;
    let tokens = world.tokens(SESSIONS).await;
    // As many connections, used a moment ago: those are used again without a test.
    join_all(tokens.iter().map(|token| world.sessions(token))).await;
    let standstill = Standstill::begin(world.postgres.process().id()).unwrap();
    let beginning = (0..SESSIONS).map(|number| {
        let order = world.client.post(world.serving.url("/password/forgot"));
        // It begins with a BEGIN, and is harmless if it is done after all.
        let order = order.json(&json!({"email": format!("nobody{number}@example.org")}));
        world.is_refused(order)
    });
    join_all(beginning).await;
    wait_until_given_up(&world).await;
    drop(standstill);

    let outcomes = join_all(tokens.iter().map(|token| world.log_out(token))).await;
    assert_eq!(outcomes, [Some(StatusCode::OK); SESSIONS]);
    let told = "SELECT COUNT(*) FROM revocations WHERE scope = 'session'";
    let told = world.postgres.query(DATABASE, told).unwrap();
    assert_eq!(told, SESSIONS.to_string());
}

/// Clients are told sooner.
async fn wait_until_given_up(world: &World) {
    stack::until("every statement is given up", PATIENCE, async || {
        let metrics = world.client.get(world.serving.url("/metrics")).send();
        let metrics = metrics.await?.text().await?;
        let failures = metrics
            .lines()
            .filter(|line| line.starts_with("portcullis_store_errors_total{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        Ok((failures.sum::<usize>() >= SESSIONS).then_some(()))
    })
    .await
    .unwrap();
}
