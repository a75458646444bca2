//! What a list says, and how one follows another.

use std::time::Duration;

use origin::publisher::publish_once::{Rest, publish_once};
use origin::publisher::pull_lane::Pulled;
use shared::{Before, Scope, UnixSeconds};

use crate::edge::Edge;
use crate::harness::{ISSUER, PATIENCE, names, on_both_stores};

on_both_stores! {
    async fn a_revocation_is_in_the_next_list_and_its_row_says_in_which(world) {
        let origin = world.publisher().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.find(Scope::Session, "a"), None);

        let id = origin.revoke(Scope::Session, "a", None).await;
        let publication = origin.publish().await;

        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.find(Scope::Session, "a"), Some(Before::Always));
        assert_eq!(edge.version(), publication.version);
        assert_eq!(publication.carried, 1);
        let row = origin.find_revocation(&id).await;
        assert_eq!(row.version, Some(publication.version));
    }

    async fn every_scope_reaches_the_edge(world) {
        let origin = world.publisher().await;
        let cut_off = origin.now().as_secs() + 1;
        origin.revoke(Scope::Token, "a token", None).await;
        origin.revoke(Scope::Session, "a session", None).await;
        origin.revoke(Scope::User, "a user", Some(cut_off)).await;
        origin.revoke(Scope::Issuer, ISSUER, Some(cut_off)).await;
        origin.publish().await;

        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let cut_off = UnixSeconds::from_secs(cut_off);
        assert_eq!(edge.find(Scope::Token, "a token"), Some(Before::Always));
        assert_eq!(edge.find(Scope::Session, "a session"), Some(Before::Always));
        assert_eq!(edge.find(Scope::User, "a user"), Some(Before::Time(cut_off)));
        let list = edge.list.unwrap();
        assert_eq!(list.issuer(ISSUER).unwrap().not_before, Some(cut_off));
        assert_eq!(list.issuer(ISSUER).unwrap().keys.keys().len(), 1);
    }

    async fn of_several_issuer_cut_offs_the_latest_counts(world) {
        let origin = world.publisher().await;
        for before in [500, 900, 700] {
            origin.revoke(Scope::Issuer, ISSUER, Some(before)).await;
            origin.publish().await;
        }
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let not_before = edge.list.unwrap().issuer(ISSUER).unwrap().not_before;
        assert_eq!(not_before, Some(UnixSeconds::from_secs(900)));
    }

    async fn a_list_without_news_says_only_that_it_is_younger(world) {
        let origin = world.publisher().await;
        origin.revoke(Scope::Session, "a", None).await;
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let before = edge.list.clone().unwrap();

        origin.advance_secs(15);
        assert_eq!(origin.publish().await.carried, 0);

        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let after = edge.list.unwrap();
        assert_eq!(after.head().tail, before.head().tail);
        assert!(after.version() > before.version());
        assert!((after.head().exp.secs_since(before.head().exp) - 15.0).abs() < 0.001);
        assert_eq!(edge.tail_bytes_received, 9, "a heartbeat sends no entry again");
    }

    async fn versions_grow_whatever_the_clock_does(world) {
        let origin = world.publisher().await;
        let now = origin.now();
        let mut versions = Vec::new();
        for time in [now, now.plus_secs(60), now.minus_secs(60), now, now, now.minus_secs(3600)] {
            versions.push(publish_once(&origin.publisher, time).await.unwrap().version);
        }
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    }

    async fn an_edge_that_appends_holds_what_one_that_starts_anew_is_sent(world) {
        let origin = world.publisher().await;
        let mut running = Edge::of(&origin);
        let mut skipping = Edge::of(&origin);
        for round in 0..6 {
            origin.revoke_sessions(&names(&format!("{round}-"), 3)).await;
            origin.publish().await;
            let newest = origin.publisher.pull_lane.newest().unwrap();
            running.pull(&newest, origin.now()).await;
            if round % 2 == 1 {
                skipping.pull(&newest, origin.now()).await;
            }
        }
        let mut new = Edge::of(&origin);
        new.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let tail_bytes = new.tail_bytes_received;
        assert_eq!(running.tail_bytes_received, tail_bytes);
        assert_eq!(skipping.tail_bytes_received, tail_bytes);
        for edge in [&running, &skipping, &new] {
            assert_eq!(edge.list.as_ref().unwrap().entry_count(), 18);
        }
    }

    async fn a_long_outbox_goes_out_in_several_lists_and_in_order(world) {
        let origin = world.publisher().await;
        let first = names("first", 4000);
        let second = names("second", 1000);
        origin.revoke_sessions(&first).await;
        origin.advance_secs(1);
        origin.revoke_sessions(&second).await;

        let one = origin.publish().await;
        assert_eq!((one.carried, one.rest), (4096, Rest::Waiting));
        let two = origin.publish().await;
        assert_eq!((two.carried, two.rest), (904, Rest::Empty));

        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert!(edge.knows_sessions(&first) && edge.knows_sessions(&second));
        let stamped = "SELECT COUNT(*) FROM revocations WHERE version IS NOT NULL";
        assert_eq!(origin.count(stamped).await, 5000);
        let out_of_order = "SELECT COUNT(*) FROM revocations AS early, revocations AS late
                            WHERE early.name LIKE 'first%' AND late.name LIKE 'second%'
                              AND early.version > late.version";
        assert_eq!(origin.count(out_of_order).await, 0);
    }

    async fn a_burst_is_one_list_and_no_empty_one_follows(world) {
        // No heartbeat comes in between, however long this takes.
        let rare = ["--heartbeat-secs=3600", "--list-lifetime-secs=7200"];
        let origin = world.replica_with(&rare).await.started().await;
        let lane = &origin.publisher.pull_lane;
        let first = lane.newest().unwrap().version();
        let tasks = origin.run();
        let sessions = names("s", 50);
        origin.revoke_sessions(&sessions).await;
        for _ in 0..50 {
            origin.app.wake.notify_one();
        }
        let mut edge = Edge::of(&origin);
        let Pulled::Newer(list) = lane.pull(first, PATIENCE).await else { panic!("no list came") };
        edge.pull(&list, origin.now()).await;
        assert!(edge.knows_sessions(&sessions));
        // Longer than lists are apart, and than the loop goes without a look. A wake-up that came
        // while the list was being made may cause one more, but not one each.
        lane.pull(u64::MAX, Duration::from_millis(600)).await;
        let lists = origin.count("SELECT COUNT(*) FROM list_heads").await;
        assert!(lists <= 3, "{lists} lists for one burst");
        tasks.stop().await;
    }

    async fn a_receipt_learns_when_the_last_list_without_it_ends(world) {
        let origin = world.publisher().await;
        let without = origin.publisher.pull_lane.newest().unwrap().list().expires_at;
        origin.advance_secs(1);
        let id = origin.revoke(Scope::Session, "a", None).await;
        let version = origin.publish().await.version;
        let travel = origin::store::receipts::find_travel(origin.pool(), version).await.unwrap();
        assert_eq!(travel.predecessors_end_at, Some(without));

        // Heads whose clock was ahead still count: an edge may go on using them.
        let ahead = origin.now().plus_secs(100);
        publish_once(&origin.publisher, ahead).await.unwrap();
        let late = origin.publish().await.version;
        let travel = origin::store::receipts::find_travel(origin.pool(), late).await.unwrap();
        assert_eq!(travel.predecessors_end_at, Some(ahead.plus_secs(180)));
        assert_eq!(origin.find_revocation(&id).await.version, Some(version));
    }
}
