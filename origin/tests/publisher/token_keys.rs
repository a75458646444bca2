//! Token keys through a rotation: an edge that holds any list that is alive takes every token that is
//! alive, and none of a revoked key.

use origin::issuer::{Grant, Holder};
use origin::keys::follow::Follower;
use origin::keys::rotation::{self, Cause, Successor};
use shared::{NativeVerifier, TokenError, UnverifiedToken};

use crate::edge::Edge;
use crate::harness::{ISSUER, Replica, on_both_stores};

/// After which a key that is published may sign, by the default settings, and some seconds more.
const UNTIL_IT_SIGNS_SECS: u64 = 340;
const TOKEN_SECS: u64 = 3600;
const A_TEST: Cause<'static> = Cause {
    actor: "a test",
    reason: None,
};

on_both_stores! {
    async fn the_first_key_signs_at_once_and_is_in_the_first_list(world) {
        let origin = world.publisher().await;
        let edge = edge_of(&origin).await;
        assert_eq!(judge(&edge, &origin, &issue(&origin)).await, Ok(()));
    }

    async fn a_new_key_signs_only_when_no_list_without_it_is_in_use(world) {
        let origin = world.publisher().await;
        let slow_edge = edge_of(&origin).await;
        let old = kid(&issue(&origin));
        let new = rotation::rotate(&origin.app, A_TEST).await.unwrap();
        // Nobody publishes for a while: the key waits, however long that is.
        origin.advance_secs(UNTIL_IT_SIGNS_SECS);
        look(&origin).await;
        assert_eq!(kid(&issue(&origin)), old);

        origin.publish().await;
        origin.advance_secs(170);
        look(&origin).await;
        let token = issue(&origin);
        assert_eq!(kid(&token), old);
        assert_eq!(judge(&slow_edge, &origin, &token).await, Ok(()));

        origin.advance_secs(UNTIL_IT_SIGNS_SECS - 170);
        look(&origin).await;
        let token = issue(&origin);
        assert_eq!(kid(&token), new);
        assert!(slow_edge.list.as_ref().unwrap().is_expired(origin.now()));
        assert_eq!(judge(&edge_of(&origin).await, &origin, &token).await, Ok(()));
    }

    async fn tokens_of_the_old_key_pass_until_their_end_and_then_the_key_goes(world) {
        let origin = world.publisher().await;
        rotation::rotate(&origin.app, A_TEST).await.unwrap();
        origin.publish().await;
        origin.advance_secs(UNTIL_IT_SIGNS_SECS - 20);
        look(&origin).await;
        let last_of_old = issue(&origin);
        origin.advance_secs(20);
        look(&origin).await;
        assert_ne!(kid(&issue(&origin)), kid(&last_of_old));
        for _ in 0..(TOKEN_SECS / 600) {
            origin.publish().await;
            assert_eq!(judge(&edge_of(&origin).await, &origin, &last_of_old).await, Ok(()));
            origin.advance_secs(599);
            look(&origin).await;
        }
        assert_eq!(published(&origin), 2);
        origin.advance_secs(600);
        look(&origin).await;
        origin.publish().await;
        look(&origin).await;
        assert_eq!(published(&origin), 1);
        assert_eq!(judge(&edge_of(&origin).await, &origin, &issue(&origin)).await, Ok(()));
    }

    async fn tokens_of_a_revoked_key_die_with_the_next_list_and_sessions_go_on(world) {
        let origin = world.publisher().await;
        let stolen = issue(&origin);
        let Successor::Made { kid: new } = rotation::revoke(&origin.app, &kid(&stolen), A_TEST).await.unwrap() else {
            panic!("another key was there");
        };
        look(&origin).await;
        assert_eq!(origin.app.issuer.verify(&stolen, origin.now()).await.err(), Some(TokenError::UnknownKey));
        let token = issue(&origin);
        assert_eq!(kid(&token), new);
        origin.publish().await;
        let edge = edge_of(&origin).await;
        assert_eq!(judge(&edge, &origin, &stolen).await, Err(TokenError::UnknownKey));
        assert_eq!(judge(&edge, &origin, &token).await, Ok(()));
        // Its private half is gone, and a second time is no error.
        assert!(origin.app.keys.token.find(&kid(&stolen)).is_none());
        assert_eq!(rotation::revoke(&origin.app, &kid(&stolen), A_TEST).await.unwrap(), Successor::Known);
    }

    async fn a_key_that_was_about_to_sign_takes_over_from_a_revoked_one(world) {
        let origin = world.publisher().await;
        let old = kid(&issue(&origin));
        let next = rotation::rotate(&origin.app, A_TEST).await.unwrap();
        origin.publish().await;
        assert_eq!(rotation::revoke(&origin.app, &old, A_TEST).await.unwrap(), Successor::Known);
        look(&origin).await;
        assert_eq!(kid(&issue(&origin)), next);
    }

    async fn one_rotation_at_a_time_and_no_unknown_key(world) {
        let origin = world.publisher().await;
        rotation::rotate(&origin.app, A_TEST).await.unwrap();
        let refused = rotation::rotate(&origin.app, A_TEST).await.unwrap_err();
        assert_eq!(refused.code(), "rotation_under_way");
        origin.publish().await;
        let refused = rotation::rotate(&origin.app, A_TEST).await.unwrap_err();
        assert_eq!(refused.code(), "rotation_under_way");
        let refused = rotation::revoke(&origin.app, "no such key", A_TEST).await.unwrap_err();
        assert_eq!(refused.code(), "unknown_key");
    }

    async fn a_key_that_a_crash_left_without_a_row_is_the_next_one(world) {
        let origin = world.publisher().await;
        let left = origin.app.keys.token.make(shared::Algorithm::EdDsa).unwrap().unwrap();
        assert_eq!(rotation::rotate(&origin.app, A_TEST).await.unwrap(), left.kid);
    }

    async fn replicas_with_one_folder_sign_with_one_key(world) {
        let first = world.publisher().await;
        let second = world.replica("second").await;
        assert_eq!(kid(&issue(&first)), kid(&issue(&second)));
        let new = rotation::rotate(&first.app, A_TEST).await.unwrap();
        first.publish().await;
        for origin in [&first, &second] {
            origin.advance_secs(UNTIL_IT_SIGNS_SECS);
            look(origin).await;
            assert_eq!(kid(&issue(origin)), new);
        }
    }

    async fn a_replica_with_keys_of_its_own_joins_and_keeps_its_old_key_alive(world) {
        let first = world.publisher().await;
        let other_folder = world.with_another_folder();
        let second = other_folder.replica("second").await;
        assert_eq!(second.app.issuer.ring().signer(second.now()).map(|key| key.kid.clone()), None);
        first.publish().await;
        for origin in [&first, &second] {
            origin.advance_secs(UNTIL_IT_SIGNS_SECS);
            look(origin).await;
        }
        first.publish().await;
        let edge = edge_of(&first).await;
        for origin in [&first, &second] {
            assert_eq!(judge(&edge, origin, &issue(origin)).await, Ok(()));
        }
        // The first replica's key is the older one, but it is in use: it does not go.
        first.advance_secs(2 * TOKEN_SECS);
        Follower::default().step(&first.app).await.unwrap();
        first.publish().await;
        look(&first).await;
        assert_eq!(judge(&edge_of(&first).await, &first, &issue(&first)).await, Ok(()));
    }

    async fn another_algorithm_is_a_rotation(world) {
        let origin = world.publisher().await;
        let old = issue(&origin);
        let restarted = world.replica_with(&["--signing-alg=ES256"]).await;
        assert_eq!(kid(&issue(&restarted)), kid(&old));
        origin.publish().await;
        restarted.advance_secs(UNTIL_IT_SIGNS_SECS);
        look(&restarted).await;
        let token = issue(&restarted);
        assert_eq!(header(&token)["alg"], "ES256");
        let edge = edge_of(&origin).await;
        for token in [&old, &token] {
            assert_eq!(judge(&edge, &restarted, token).await, Ok(()));
        }
    }

    async fn a_schedule_rotates_by_itself(world) {
        let origin = world.replica_with(&["--key-rotation-days=30"]).await.started().await;
        let old = kid(&issue(&origin));
        origin.advance_secs(30 * 86_400 - 1);
        look(&origin).await;
        assert_eq!(published(&origin), 1);
        origin.advance_secs(1);
        look(&origin).await;
        assert_eq!(published(&origin), 2);
        origin.publish().await;
        origin.advance_secs(UNTIL_IT_SIGNS_SECS);
        look(&origin).await;
        assert_ne!(kid(&issue(&origin)), old);
        assert_eq!(published(&origin), 2);
    }
}

async fn look(origin: &Replica) {
    Follower::default().step(&origin.app).await.unwrap();
}

async fn edge_of(origin: &Replica) -> Edge {
    let mut edge = Edge::of(origin);
    let newest = origin.publisher.pull_lane.newest().unwrap();
    edge.pull(&newest, newest.list().issued_at).await;
    edge
}

fn issue(origin: &Replica) -> String {
    let grant = Grant {
        holder: Holder::Client,
        client_id: "a client",
        scope: "profile",
        ends_at: None,
    };
    origin.app.issuer.issue(&grant, origin.now()).unwrap()
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

fn header(token: &str) -> serde_json::Value {
    use base64::Engine;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .unwrap();
    serde_json::from_slice(&header).unwrap()
}

fn published(origin: &Replica) -> usize {
    origin.app.issuer.ring().live().len()
}

/// As an edge does, at the time of that origin.
async fn judge(edge: &Edge, origin: &Replica, token: &str) -> Result<(), TokenError> {
    let list = edge.list.as_ref().unwrap();
    let issuer = list.issuer(ISSUER).unwrap();
    UnverifiedToken::parse(token)?
        .verify_signature(&issuer.keys, &NativeVerifier)
        .await?
        .validate(&issuer.policy, origin.now())
        .map(drop)
}
