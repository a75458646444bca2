//! Token keys through a rotation and a leak, by the operator's own commands, at the built Worker.

use anyhow::ensure;
use e2e::{World, start_private};
use serde_json::Value;
use stack::{OriginSettings, System};

const ALGORITHM: (&str, &str) = ("PORTCULLIS_SIGNING_ALG", "EdDSA");

#[tokio::test]
async fn tokens_pass_all_through_a_rotation_and_die_with_their_key() {
    let world = start_private("key-rotation", |plan| {
        let (name, value) = ALGORITHM;
        plan.origin_environment
            .push((name.to_owned(), value.to_owned()));
    })
    .await
    .unwrap();
    let user = world.new_user().await.unwrap();
    let before = world.log_in(&user).await.unwrap();
    world.wait_for_edge(&before.access, 200).await.unwrap();

    // To another algorithm, so that every part of the way has to take both.
    let made = with_algorithm(&world, "ES256")
        .run_json(&["keys", "rotate", "--json"], "")
        .unwrap();
    wait_for_keys(&world, 2).await.unwrap();
    let during = world.log_in(&user).await.unwrap();
    assert_eq!(algorithm(&during.access), "EdDSA", "it signs too early");
    for token in [&before.access, &during.access] {
        world.wait_for_edge(token, 200).await.unwrap();
    }

    let old = key_of(&before.access);
    let settings = world.system.origin.settings();
    settings.run(&["keys", "revoke", &old], "").unwrap();
    for token in [&before.access, &during.access] {
        let refused = world.wait_for_edge(token, 401).await.unwrap();
        assert_eq!(refused.code(), "kid_unknown");
    }
    wait_for_keys(&world, 1).await.unwrap();
    let answer = world.origin.refresh(&during.refresh).await.unwrap();
    let after = answer.expect(200).unwrap().string("access_token");
    assert_eq!(key_of(&after), made["kid"].as_str().unwrap());
    assert_eq!(algorithm(&after), "ES256");
    world.wait_for_edge(&after, 200).await.unwrap();
}

fn with_algorithm(world: &World<System>, algorithm: &str) -> OriginSettings {
    let mut settings = world.system.origin.settings().clone();
    for (name, value) in &mut settings.environment {
        if name == ALGORITHM.0 {
            algorithm.clone_into(value);
        }
    }
    settings
}

/// Until the running origin publishes so many.
async fn wait_for_keys(world: &World<System>, count: usize) -> anyhow::Result<()> {
    stack::until("the JWKS", e2e::PATIENCE, async || {
        let jwks = world.origin.get("/.well-known/jwks.json", "").await?;
        let keys = jwks.json()["keys"].as_array().map_or(0, Vec::len);
        ensure!(keys > 0, "no key is published: {}", jwks.text);
        Ok((keys == count).then_some(()))
    })
    .await
}

fn header(token: &str) -> Value {
    let header = jsonwebtoken::decode_header(token).unwrap();
    serde_json::to_value(header).unwrap()
}

fn key_of(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

fn algorithm(token: &str) -> String {
    header(token)["alg"].as_str().unwrap().to_owned()
}
