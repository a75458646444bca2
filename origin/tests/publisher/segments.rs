//! Sealing, merging and dropping: nothing is lost on the way, and nothing is kept for ever.

use origin::publisher::compact::{Compaction, compact_once};
use origin::publisher::housekeeping::keep_house;
use origin::publisher::next_list::build_segment;
use origin::publisher::publish_once::publish_once;
use origin::store;
use shared::{Entry, MAX_TAIL_BYTES, Scope, SessionId, UnixSeconds};

use crate::edge::Edge;
use crate::harness::{ISSUER, Replica, names, on_both_stores};

/// More than a tail holds.
const A_TAIL_AND_MORE: usize = MAX_TAIL_BYTES / 9 + 100;

on_both_stores! {
    async fn a_full_tail_becomes_a_segment_and_every_entry_is_still_found(world) {
        let origin = world.publisher().await;
        let mut running = Edge::of(&origin);
        let sessions = names("s", A_TAIL_AND_MORE);
        for some in sessions.chunks(2000) {
            origin.revoke_sessions(some).await;
            origin.publish().await;
            running.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        }
        assert_eq!(running.segments_fetched, 1);
        assert!(running.knows_sessions(&sessions));

        let mut new = Edge::of(&origin);
        new.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert!(new.knows_sessions(&sessions));
        assert!(new.tail_bytes_received < 1000);
    }

    async fn an_old_tail_is_sealed_unless_it_is_tiny(world) {
        let origin = world.publisher().await;
        origin.revoke_sessions(&names("few", 255)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.publish().await;
        assert_eq!(origin.count("SELECT COUNT(*) FROM list_segments").await, 0);

        origin.revoke_sessions(&names("one more", 1)).await;
        origin.publish().await;
        origin.publish().await;
        assert_eq!(origin.count("SELECT COUNT(*) FROM list_segments").await, 1);
        assert!(origin.publisher.pull_lane.newest().unwrap().list().tail.is_empty());
    }

    async fn what_no_living_token_needs_drops_out(world) {
        let origin = world.publisher().await;
        origin.revoke_sessions(&names("sealed", 256)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.revoke_sessions(&names("tail", 3)).await;
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.list.unwrap().entry_count(), 259);

        // The tail was begun last and is needed longest: 3630 s, and 120 s for a wrong clock.
        origin.advance_secs(3749);
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.list.unwrap().entry_count(), 3);

        origin.advance_secs(1);
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.list.unwrap().entry_count(), 0);
    }

    async fn a_clock_that_is_a_minute_ahead_brings_no_token_back(world) {
        let origin = world.publisher().await;
        origin.revoke_sessions(&names("sealed", 256)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.revoke_sessions(&names("tail", 3)).await;
        origin.revoke(Scope::Issuer, ISSUER, Some(1)).await;
        origin.publish().await;

        // The last second of the first ones' tokens, seen by a clock that is a minute ahead.
        let ahead = origin.now().plus_secs(3630 - 300 - 1 + 60);
        publish_once(&origin.publisher, ahead).await.unwrap();
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), ahead).await;
        assert!(edge.knows_sessions(&names("sealed", 256)));
        assert!(edge.knows_sessions(&names("tail", 3)));
        assert!(edge.list.unwrap().issuer(ISSUER).unwrap().not_before.is_some());
    }

    async fn housekeeping_forgets_only_what_nobody_needs(world) {
        let origin = world.publisher().await;
        origin.revoke_sessions(&names("s", 256)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.publish().await;
        origin.advance_secs(60);
        origin.publish().await;
        keep_house(&origin.publisher, origin.now()).await.unwrap();
        let heads = "SELECT COUNT(*) FROM list_heads";
        let texts = "SELECT COUNT(*) FROM list_heads WHERE head <> ''";
        assert_eq!(origin.count(heads).await, 4);
        assert_eq!(origin.count(texts).await, 2);

        // Past the hour: the heads of revocations stay, for their receipts.
        origin.advance_secs(3601);
        keep_house(&origin.publisher, origin.now()).await.unwrap();
        assert_eq!(origin.count(heads).await, 2);
        assert_eq!(origin.count("SELECT COUNT(*) FROM list_segments").await, 1);

        origin.advance_secs(3600 + 3630);
        keep_house(&origin.publisher, origin.now()).await.unwrap();
        for table in ["SELECT COUNT(*) FROM revocations", "SELECT COUNT(*) FROM list_segments"] {
            assert_eq!(origin.count(table).await, 0, "{table}");
        }
        keep_house(&origin.publisher, origin.now()).await.unwrap();
        assert_eq!(origin.count(heads).await, 1, "the newest stays: versions grow from it");
    }

    async fn four_segments_become_one_and_a_running_edge_follows(world) {
        let origin = world.publisher().await;
        let sessions = names("s", 40);
        for some in sessions.chunks(10) {
            store_segment(&origin, some).await;
        }
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.segments_fetched, 4);

        let fence = origin.publisher.lease.fence().unwrap();
        let merged = compact_once(origin.pool(), fence, origin.now()).await.unwrap();
        assert_eq!(merged, Compaction::Merged { segments: 4, entries: 40 });
        let again = compact_once(origin.pool(), fence, origin.now()).await.unwrap();
        assert_eq!(again, Compaction::NothingToDo);

        origin.publish().await;
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert_eq!(edge.segments_fetched, 5);
        assert!(edge.knows_sessions(&sessions));
    }

    async fn a_merge_by_a_replica_that_lost_the_lease_changes_nothing(world) {
        let origin = world.publisher().await;
        for some in names("s", 4).chunks(1) {
            store_segment(&origin, some).await;
        }
        let stale = origin.publisher.lease.fence().unwrap() - 1;
        let refused = compact_once(origin.pool(), stale, origin.now()).await.unwrap_err();
        assert_eq!(refused.code(), "publisher_fenced");
        let live = "SELECT COUNT(*) FROM list_segments WHERE retired_at IS NULL";
        assert_eq!(origin.count(live).await, 4);
    }

    async fn while_no_segment_fits_the_rest_waits_and_nothing_is_lost(world) {
        let origin = world.publisher().await;
        for some in names("old", 48).chunks(1) {
            store_segment(&origin, some).await;
        }
        let sessions = names("s", A_TAIL_AND_MORE);
        origin.revoke_sessions(&sessions).await;
        let mut carried = 0;
        for _ in 0..4 {
            carried += origin.publish().await.carried;
        }
        assert_eq!(carried, MAX_TAIL_BYTES / 9);

        let fence = origin.publisher.lease.fence().unwrap();
        compact_once(origin.pool(), fence, origin.now()).await.unwrap();
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        assert!(edge.knows_sessions(&sessions));
    }
}

/// Puts a sealed segment into the database, as a publication would.
async fn store_segment(origin: &Replica, sessions: &[String]) {
    let entries: Vec<Entry> = sessions
        .iter()
        .map(|name| Entry::session(ISSUER, &SessionId::parse(name).unwrap()))
        .collect();
    let retain_until: UnixSeconds = origin.now().plus_secs(3630);
    let segment = build_segment(&entries, 0, retain_until, origin.now()).unwrap();
    let mut tx = store::begin(origin.pool()).await.unwrap();
    store::segments::insert(&mut tx, &segment).await.unwrap();
    tx.commit().await.unwrap();
}
