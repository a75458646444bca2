//! How a revocation gets to the edge: by which lane, by when, and what its receipt says.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use e2e::{World, start_private};

/// An isolate waits half a second after the first failure of a lane, and may hear of it late.
const FIRST_BACKOFF_IS_OVER: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_receipt_follows_a_logout_to_the_edge() {
    let world = World::on_servers().await.unwrap();
    let user = world.new_user().await.unwrap();
    let closed = world.log_in(&user).await.unwrap().access;
    let open = world.log_in(&user).await.unwrap().access;
    world.wait_for_edge(&closed, 200).await.unwrap();

    let answer = world
        .origin
        .log_out(&closed)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let revocation = answer.json()["revocation"].clone();
    let id = revocation["id"].as_str().unwrap();
    assert!(revocation["effective_by"].is_string(), "{revocation}");
    world.wait_for_edge(&closed, 401).await.unwrap();

    // In no order: where Redis was slow for a moment, it is given the revocation later.
    let layers = ["cached_at", "seen_at_edge_at", "delivered_at"];
    world
        .wait_for_receipt(&open, id, |receipt| {
            receipt["status"] == "delivered"
                && receipt["version"].is_number()
                && layers.iter().all(|layer| receipt[layer].is_string())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn many_logouts_at_once_all_arrive_and_touch_nobody_else() {
    let world = World::on_servers().await.unwrap();
    let user = world.new_user().await.unwrap();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(world.log_in(&user).await.unwrap().access);
    }
    let bystander = world.new_session().await.unwrap().access;
    let mut logouts = tokio::task::JoinSet::new();
    for token in &tokens {
        let (origin, token) = (world.origin.clone(), token.clone());
        logouts.spawn(async move { origin.log_out(&token).await?.expect(200) });
    }
    for outcome in logouts.join_all().await {
        outcome.unwrap();
    }
    for token in &tokens {
        world.wait_for_edge(token, 401).await.unwrap();
    }
    world
        .edge
        .me(&bystander)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}

#[tokio::test]
async fn a_canary_measures_each_layer_and_tells_of_an_edge_that_is_gone() {
    let mut world = start_private("canary", |plan| {
        let edge = format!("http://127.0.0.1:{}", plan.edge_port);
        plan.origin_environment.extend([
            ("PORTCULLIS_CANARY_EDGES".to_owned(), edge),
            ("PORTCULLIS_CANARY_INTERVAL_SECS".to_owned(), "5".to_owned()),
        ]);
    })
    .await
    .unwrap();
    wait_for_canary(&world, "ok").await;
    let metrics = world.origin.get("/metrics", "").await.unwrap().text;
    for layer in ["published", "delivered", "seen", "refused"] {
        let series = format!("portcullis_time_to_revoke_seconds_count{{layer=\"{layer}\"");
        assert!(metrics.contains(&series), "no {layer} in:\n{metrics}");
    }

    world.system.edge.process().kill();
    let ready = wait_for_canary(&world, "failing").await;
    assert_eq!(
        (ready.status.as_u16(), ready.string("status")),
        (200, "degraded".to_owned())
    );
    assert_eq!(ready.json()["canary"]["code"], "edge_unreachable");
}

async fn wait_for_canary(world: &World<stack::System>, status: &str) -> stack::Answer {
    stack::until(
        &format!("the canary is {status}"),
        e2e::PATIENCE,
        async || {
            let ready = world.origin.get("/health/ready", "").await?;
            Ok((ready.json()["canary"]["status"] == status).then_some(ready))
        },
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn kv_alone_carries_a_logout() {
    let world = start_private("kv-alone", |plan| {
        plan.edge_vars.insert("PULL_LANE".to_owned(), "off".into());
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&token, 401).await.unwrap();
}

/// Nobody asks the edge anything between the cut and the question that counts. The edge is more patient
/// than it is by default: how soon two lanes answer on a machine that is busy is not the question.
#[tokio::test]
async fn the_first_request_after_a_silence_is_refused_if_its_token_was_revoked_meanwhile() {
    let mut world = start_private("after-a-silence", |plan| {
        let patience = "5000".into();
        plan.edge_vars.insert("CATCH_UP_MS".to_owned(), patience);
    })
    .await
    .unwrap();
    let user = world.new_user().await.unwrap();
    let revoked = world.log_in(&user).await.unwrap().access;
    let bystander = world.log_in(&user).await.unwrap().access;
    world.wait_for_edge(&revoked, 200).await.unwrap();

    // With the origin goes the hanging request of the isolate: from here on it hears nothing.
    world.system.origin.process().kill();
    let cut_at = Instant::now();
    world.system.origin.restart().await.unwrap();
    let answer = world.origin.log_out(&revoked).await.unwrap();
    let receipt = answer.expect(200).unwrap().json()["revocation"].clone();
    let id = receipt["id"].as_str().unwrap();
    world
        .wait_for_receipt(&bystander, id, |receipt| receipt["version"].is_number())
        .await
        .unwrap();
    wait_for_first_backoff(cut_at).await;

    let first = world.edge.unguarded(&revoked).await.unwrap();
    assert_eq!(first.status, 401, "{}", first.text);
    assert_eq!(first.code(), "token_revoked");
    world
        .edge
        .me(&bystander)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}

/// An origin that takes the question and never answers costs one request its patience, not each.
#[tokio::test]
async fn a_silent_origin_is_not_waited_for_by_every_request() {
    let mut world = start_private("silent-origin", |plan| {
        plan.edge_vars.insert(
            "UPSTREAM_URL".to_owned(),
            stack::start_echo().unwrap().into(),
        );
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    world.system.origin.process().kill();
    let cut_at = Instant::now();
    let silent = TcpListener::bind(("127.0.0.1", world.system.origin.settings().port)).unwrap();
    silent.set_nonblocking(true).unwrap();
    wait_for_first_backoff(cut_at).await;

    for _ in 0..20 {
        world.edge.me(&token).await.unwrap().expect(200).unwrap();
    }
    let questions = std::iter::from_fn(|| silent.accept().ok()).count();
    assert!((1..20).contains(&questions), "{questions}");
}

/// An isolate does not ask again at once after its lane was cut.
async fn wait_for_first_backoff(cut_at: Instant) {
    stack::until("the lane may be asked again", e2e::PATIENCE, async || {
        Ok((cut_at.elapsed() > FIRST_BACKOFF_IS_OVER).then_some(()))
    })
    .await
    .unwrap();
}
