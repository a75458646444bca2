//! How a revocation gets to the edge: by which lane, by when, and what its receipt says.

use e2e::{World, start_private};

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

    let receipt = world
        .wait_for_receipt(&open, id, |receipt| {
            receipt["status"] == "delivered" && receipt["seen_at_edge_at"].is_string()
        })
        .await
        .unwrap();
    assert!(
        receipt["version"].is_number() && receipt["cached_at"].is_string(),
        "{receipt}"
    );
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
