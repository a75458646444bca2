//! What a revocation survives: the parts of the system killed at the worst moment.

use e2e::{World, start_private};
use stack::{Durability, Plan, Stores, System, paths};

fn on_servers(plan: &mut Plan) {
    plan.stores = Stores::Servers {
        database_url: None,
        redis_url: None,
        durability: Durability::AsInProduction,
    };
}

/// Kills the origin the moment it has answered, again and again: wherever the publisher was then,
/// the next start finishes it.
async fn survives_kills_after_the_answer(mut world: World<System>) {
    for _ in 0..5 {
        let token = world.new_session().await.unwrap().access;
        world.wait_for_edge(&token, 200).await.unwrap();
        let answer = world.origin.log_out(&token).await.unwrap();
        world.system.origin.process().kill();
        answer.expect(200).unwrap();
        world.system.origin.restart().await.unwrap();
        world.wait_for_edge(&token, 401).await.unwrap();
        world.origin.me(&token).await.unwrap().expect(401).unwrap();
    }
}

#[tokio::test]
async fn a_logout_survives_the_origin_killed_after_its_answer_on_embedded_stores() {
    let world = start_private("killed-embedded", |_| ()).await.unwrap();
    survives_kills_after_the_answer(world).await;
}

#[tokio::test]
async fn a_logout_survives_the_origin_killed_after_its_answer_on_servers() {
    let world = start_private("killed-servers", on_servers).await.unwrap();
    survives_kills_after_the_answer(world).await;
}

/// The publisher is held still, so that the kill is sure to hit the gap between the two.
#[tokio::test]
async fn a_logout_survives_the_origin_killed_before_any_list_carries_it() {
    let mut world = start_private("killed-before-publication", |plan| {
        plan.edge_vars.insert(
            "UPSTREAM_URL".to_owned(),
            stack::start_echo().unwrap().into(),
        );
        let heartbeat = ("PORTCULLIS_HEARTBEAT_SECS".to_owned(), "60".to_owned());
        plan.origin_environment.push(heartbeat);
        on_servers(plan);
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();

    let postgres = world.system.postgres.as_ref().unwrap();
    let held = postgres
        .hold_writes("portcullis", "list_heads")
        .await
        .unwrap();
    world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.system.origin.process().kill();
    drop(held);
    let unpublished = "SELECT count(*) FROM revocations WHERE version IS NULL";
    assert_ne!(postgres.query("portcullis", unpublished).unwrap(), "0");
    world.edge.me(&token).await.unwrap().expect(200).unwrap();

    world.system.origin.restart().await.unwrap();
    world.wait_for_edge(&token, 401).await.unwrap();
    world.origin.me(&token).await.unwrap().expect(401).unwrap();
}

#[tokio::test]
async fn without_redis_a_logout_is_still_a_logout() {
    let mut world = start_private("no-redis", on_servers).await.unwrap();
    let before = world.new_session().await.unwrap().access;
    let during = world.new_session().await.unwrap().access;
    let bystander = world.new_session().await.unwrap().access;
    world
        .origin
        .log_out(&before)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.system.redis.as_mut().unwrap().process().kill();

    world
        .origin
        .log_out(&during)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    for revoked in [&before, &during] {
        world.origin.me(revoked).await.unwrap().expect(401).unwrap();
        world.wait_for_edge(revoked, 401).await.unwrap();
    }
    world
        .origin
        .me(&bystander)
        .await
        .unwrap()
        .expect(200)
        .unwrap();

    // It comes back empty, and "no key" must not read as "not revoked".
    world
        .system
        .redis
        .as_mut()
        .unwrap()
        .restart()
        .await
        .unwrap();
    for revoked in [&before, &during] {
        world.origin.me(revoked).await.unwrap().expect(401).unwrap();
    }
}

#[tokio::test]
async fn a_flushed_redis_brings_no_token_back() {
    let world = start_private("flushed-redis", on_servers).await.unwrap();
    let revoked = world.new_session().await.unwrap().access;
    let bystander = world.new_session().await.unwrap().access;
    world
        .origin
        .log_out(&revoked)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world
        .system
        .redis
        .as_ref()
        .unwrap()
        .command(&["FLUSHALL"])
        .unwrap();
    world
        .origin
        .me(&revoked)
        .await
        .unwrap()
        .expect(401)
        .unwrap();
    world
        .origin
        .me(&bystander)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}

#[tokio::test]
async fn without_postgres_no_logout_is_claimed_and_the_edge_goes_on() {
    let mut world = start_private("no-postgres", |plan| {
        plan.edge_vars.insert(
            "UPSTREAM_URL".to_owned(),
            stack::start_echo().unwrap().into(),
        );
        on_servers(plan);
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    world.system.postgres.as_mut().unwrap().process().kill();

    let answer = world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(503)
        .unwrap();
    assert!(
        answer.headers.contains_key("retry-after"),
        "{}",
        answer.text
    );
    world.edge.me(&token).await.unwrap().expect(200).unwrap();

    world
        .system
        .postgres
        .as_mut()
        .unwrap()
        .restart()
        .await
        .unwrap();
    stack::until("the origin is ready again", e2e::PATIENCE, async || {
        let request = world.origin.request(reqwest::Method::GET, "/health/ready");
        Ok(world
            .origin
            .send(request)
            .await?
            .status
            .is_success()
            .then_some(()))
    })
    .await
    .unwrap();
    world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&token, 401).await.unwrap();
}

/// What the Wasm instance knew is gone with it; what was asked of it meanwhile is still answered.
#[tokio::test]
async fn a_panic_in_the_worker_is_answered_503_and_the_next_request_is_served() {
    let world = start_private("panic", |plan| {
        plan.worker = paths::target().join("edge-test");
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    let revoked = world.new_session().await.unwrap().access;
    world
        .origin
        .log_out(&revoked)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    for path in ["panic", "panic-later", "panic-at-once"] {
        world.wait_for_edge(&token, 200).await.unwrap();
        let request = world
            .edge
            .request(reqwest::Method::POST, &format!("/.portcullis/{path}"));
        let panicked = world.edge.send(request).await.unwrap();
        assert_eq!(panicked.status, 503, "{path}: {}", panicked.text);
        assert_eq!(panicked.code(), "internal");
        assert!(panicked.headers.contains_key("retry-after"));
        world.edge.me(&token).await.unwrap().expect(200).unwrap();
        world
            .edge
            .unguarded(&revoked)
            .await
            .unwrap()
            .expect(401)
            .unwrap();
    }
}

/// The Worker that is shipped has no such route: it is an unknown one of its own.
#[tokio::test]
async fn the_deployed_worker_has_no_route_that_panics() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    for path in [
        "/.portcullis/panic",
        "/.portcullis/panic-at-once",
        "/.portcullis/corpus",
    ] {
        let answer = world
            .edge
            .post(path, &token, &serde_json::Value::Null)
            .await
            .unwrap();
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
}
