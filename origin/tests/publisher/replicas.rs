//! Several replicas on one database: one publishes, all serve, any can take over.

use std::time::{Duration, Instant};

use origin::publisher::follow::{follow_once, record_sightings};
use origin::publisher::lease::{LEASE, LeaseWatch};
use origin::publisher::publish_once::{PublishError, publish_once};
use origin::publisher::pull_lane::Pulled;
use origin::store::list;
use shared::Scope;

use crate::edge::Edge;
use crate::harness::{PATIENCE, eventually, names, on_both_stores};

on_both_stores! {
    async fn only_the_holder_of_the_lease_publishes(world) {
        let holder = world.publisher().await;
        let candidate = world.replica("second").await.started().await;
        let refused = publish_once(&candidate.publisher, candidate.now()).await.unwrap_err();
        assert!(matches!(refused, PublishError::Fenced));
        holder.publish().await;
    }

    async fn a_holder_that_was_taken_to_be_dead_can_write_nothing_any_more(world) {
        let paused = world.publisher().await;
        let next = world.replica("second").await;
        let mut watch = LeaseWatch::default();
        let now = Instant::now();
        let lease = &next.publisher.lease;
        assert_eq!(lease.claim_if_silent(next.pool(), &mut watch, now).await.unwrap(), None);
        let later = now + LEASE;
        lease.claim_if_silent(next.pool(), &mut watch, later).await.unwrap().unwrap();
        let version = next.publish().await.version;

        let id = paused.revoke(Scope::Session, "a", None).await;
        let refused = publish_once(&paused.publisher, paused.now()).await.unwrap_err();
        assert!(matches!(refused, PublishError::Fenced));
        assert_eq!(paused.publisher.lease.fence(), None);
        assert_eq!(list::find_newest_version(paused.pool()).await.unwrap(), Some(version));
        assert_eq!(paused.find_revocation(&id).await.version, None);

        next.publish().await;
        assert!(paused.find_revocation(&id).await.version.is_some());
    }

    async fn a_holder_that_shows_signs_of_life_keeps_the_lease(world) {
        let holder = world.publisher().await;
        let candidate = world.replica("second").await;
        let mut watch = LeaseWatch::default();
        let start = Instant::now();
        for beat in 0..4 {
            holder.publisher.lease.renew(holder.pool()).await.unwrap();
            let claimed = candidate
                .publisher
                .lease
                .claim_if_silent(candidate.pool(), &mut watch, start + LEASE * beat)
                .await;
            assert_eq!(claimed.unwrap(), None);
        }
    }

    async fn a_lease_that_was_given_back_is_taken_at_once(world) {
        let first = world.publisher().await;
        origin::publisher::finish(&first.publisher).await.unwrap();
        let second = world.replica("second").await.started().await;
        assert!(second.publisher.lease.fence().is_some());
    }

    async fn a_replica_gets_its_own_lease_back_after_a_crash(world) {
        let before = world.publisher().await.publisher.lease.fence().unwrap();
        let after = world.replica("first").await.started().await;
        assert!(after.publisher.lease.fence().unwrap() > before);
    }

    async fn replicas_that_fight_for_the_lease_publish_one_history(world) {
        let one = world.publisher().await;
        let two = world.replica("second").await;
        let mut edge = Edge::of(&one);
        let mut sessions = Vec::new();
        for round in 0..12 {
            let some = names(&format!("{round}-"), 3);
            one.revoke_sessions(&some).await;
            sessions.extend(some);
            // Both believe that they may: the one with the newer fence is right.
            let (thief, owner) = if round % 2 == 0 { (&two, &one) } else { (&one, &two) };
            let row = origin::store::lease::load(thief.pool()).await.unwrap();
            assert!(origin::store::lease::take(thief.pool(), &row, "").await.unwrap().is_some());
            let (claimed, published) = tokio::join!(
                thief.publisher.lease.claim_at_start(thief.pool()),
                publish_once(&owner.publisher, owner.now()),
            );
            assert!(claimed.unwrap().is_some());
            assert!(matches!(published, Err(PublishError::Fenced)), "{published:?}");
            publish_once(&thief.publisher, thief.now()).await.unwrap();
            follow_once(one.pool(), &one.publisher.pull_lane).await.unwrap();
            edge.pull(&one.publisher.pull_lane.newest().unwrap(), one.now()).await;
            assert!(edge.knows_sessions(&sessions));
        }
    }

    async fn replicas_whose_clocks_are_minutes_apart_take_turns_and_break_no_promise(world) {
        let ahead = world.publisher().await;
        let behind = world.replica("second").await;
        let now = ahead.now();
        ahead.advance_secs(60);
        behind.clock.step_back(Duration::from_mins(1));
        let mut edge = Edge::of(&ahead);
        let mut ends_without_it = now;
        for round in 0..6 {
            let (holder, other) = if round % 2 == 0 { (&behind, &ahead) } else { (&ahead, &behind) };
            let row = origin::store::lease::load(holder.pool()).await.unwrap();
            origin::store::lease::take(holder.pool(), &row, "").await.unwrap().unwrap();
            holder.publisher.lease.claim_at_start(holder.pool()).await.unwrap().unwrap();
            other.publisher.lease.lose();
            // A list of this replica, by its clock, and then one with a revocation.
            holder.publish().await;
            follow_once(ahead.pool(), &ahead.publisher.pull_lane).await.unwrap();
            let newest = ahead.publisher.pull_lane.newest().unwrap();
            ends_without_it = ends_without_it.max(newest.list().expires_at);
            let id = other.revoke(Scope::Session, &format!("{round}"), None).await;
            holder.publish().await;
            follow_once(ahead.pool(), &ahead.publisher.pull_lane).await.unwrap();

            let held = edge.version();
            edge.pull(&ahead.publisher.pull_lane.newest().unwrap(), now).await;
            assert!(edge.version() > held, "the edge went back");
            assert!(edge.find(Scope::Session, &format!("{round}")).is_some());
            let version = ahead.find_revocation(&id).await.version.unwrap();
            let travel = origin::store::receipts::find_travel(ahead.pool(), version).await.unwrap();
            assert!(travel.predecessors_end_at.unwrap() >= ends_without_it, "effective_by is too early");
            ends_without_it = ends_without_it.max(edge.list.as_ref().unwrap().head().exp);
        }
    }

    async fn a_replica_that_only_follows_sends_suffixes_too(world) {
        let holder = world.publisher().await;
        let follower = world.replica("second").await.started().await;
        let mut edge = Edge::of(&follower);
        for round in 0..3 {
            holder.revoke_sessions(&names(&format!("{round}-"), 2)).await;
            holder.publish().await;
            holder.revoke_sessions(&names(&format!("{round}+"), 2)).await;
            holder.publish().await;
            follow_once(follower.pool(), &follower.publisher.pull_lane).await.unwrap();
            edge.pull(&follower.publisher.pull_lane.newest().unwrap(), follower.now()).await;
        }
        assert_eq!(edge.list.unwrap().entry_count(), 12);
        assert_eq!(edge.tail_bytes_received, 12 * 9);
    }

    async fn a_revocation_on_one_replica_reaches_a_waiter_on_another(world) {
        let holder = world.publisher().await;
        let follower = world.replica("second").await.started().await;
        let tasks = [holder.run(), follower.run()];
        let held = follower.publisher.pull_lane.newest().unwrap().version();
        let lane = follower.publisher.pull_lane.clone();
        let waiter = tokio::spawn(async move { lane.pull(held, PATIENCE).await });

        let id = follower.revoke(Scope::Session, "a", None).await;

        let Pulled::Newer(list) = waiter.await.unwrap() else { panic!("no list came") };
        let mut edge = Edge::of(&follower);
        edge.pull(&list, follower.now()).await;
        // A heartbeat may have come first; the revocation is never far behind.
        eventually(async || follower.find_revocation(&id).await.version.is_some()).await;
        for supervisor in tasks {
            supervisor.stop().await;
        }
    }

    async fn what_an_edge_was_seen_with_is_on_every_head_up_to_it(world) {
        let origin = world.publisher().await;
        let first = origin.publish().await.version;
        let second = origin.publish().await.version;
        let third = origin.publish().await.version;
        origin.publisher.pull_lane.sightings().note(second, origin.now());
        record_sightings(origin.pool(), &origin.publisher.pull_lane).await.unwrap();
        for (version, seen_at) in [(first, Some(origin.now())), (second, Some(origin.now())), (third, None)] {
            let travel = origin::store::receipts::find_travel(origin.pool(), version).await.unwrap();
            assert_eq!(travel.seen_at_edge_at, seen_at);
        }
    }
}
