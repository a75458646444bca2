//! A publisher that dies between any two steps: the next run finishes what it began, nothing is lost
//! and nothing goes out twice as something else.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use origin::publisher::deliver::{Delivery, deliver_once};
use origin::publisher::publish_once::{publish_once, store_next_list};
use shared::{KV_HEAD_KEY, Scope};

use crate::edge::Edge;
use crate::harness::{Replica, names, on_both_stores};
use crate::kv_double::{KvDouble, Mood};

on_both_stores! {
    async fn dying_at_any_point_of_the_transaction_leaves_all_of_it_or_nothing(world) {
        let mut origin = world.publisher().await;
        let mut edge = Edge::of(&origin);
        let mut sessions = Vec::new();
        let mut finished = 0;
        for polls in 1.. {
            let some = names(&format!("{polls}-"), 2);
            origin.revoke_sessions(&some).await;
            sessions.extend(some);
            let now = origin.now();
            if poll_at_most(polls, store_next_list(&origin.publisher, now)).await.is_some() {
                finished += 1;
            }
            // The successor of the dead one: the same replica after a restart.
            origin = world.replica("first").await.started().await;
            edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
            assert!(edge.knows_sessions(&sessions), "something is missing after {polls} polls");
            if finished == 3 {
                break;
            }
        }
        assert_eq!(edge.list.unwrap().entry_count(), sessions.len() as u64);
    }

    async fn a_list_that_was_stored_but_never_handed_on_is_found_by_the_next_run(world) {
        let origin = world.publisher().await;
        let id = origin.revoke(Scope::Session, "a", None).await;
        let (list, _) = store_next_list(&origin.publisher, origin.now()).await.unwrap();
        assert!(origin.publisher.pull_lane.newest().unwrap().version() < list.version);

        let next = world.replica("second").await.started().await;
        let held = next.publisher.pull_lane.newest().unwrap();
        assert_eq!(held.version(), list.version);
        assert_eq!(next.find_revocation(&id).await.version, Some(list.version));
    }

    async fn a_list_that_never_got_to_kv_is_put_by_the_next_run(world) {
        let kv = KvDouble::start().await;
        let origin = world.replica_with_kv("first", &kv).await.started().await;
        origin.revoke(Scope::Session, "a", None).await;
        let version = origin.publish().await.version;
        drop(origin);

        let next = world.replica_with_kv("first", &kv).await;
        next.publisher.lease.claim_at_start(next.pool()).await.unwrap().unwrap();
        assert_eq!(deliver(&next).await, Delivery::Delivered { version });
        assert_eq!(deliver(&next).await, Delivery::UpToDate);
        let mut edge = Edge::of(&next);
        edge.take(&kv.value(KV_HEAD_KEY).unwrap(), next.now()).await.unwrap();
        assert!(edge.find(Scope::Session, "a").is_some());
    }

    async fn dying_between_a_segment_and_the_head_leaves_kv_whole(world) {
        let kv = KvDouble::start().await;
        let origin = world.replica_with_kv("first", &kv).await.started().await;
        deliver(&origin).await;
        let before = kv.value(KV_HEAD_KEY).unwrap();
        origin.revoke_sessions(&names("s", 300)).await;
        origin.publish().await;
        origin.advance_secs(300);
        let version = origin.publish().await.version;

        // The segment is put, the head is not.
        kv.will_be(&[Mood::Well, Mood::Status(500)]);
        let client = origin.publisher.kv.clone().unwrap();
        deliver_once(&origin.publisher, &client, origin.now()).await.unwrap_err();
        assert_eq!(kv.value(KV_HEAD_KEY).unwrap(), before, "no head names a segment too early");

        assert_eq!(deliver(&origin).await, Delivery::Delivered { version });
        let mut edge = Edge::of(&origin);
        edge.take(&kv.value(KV_HEAD_KEY).unwrap(), origin.now()).await.unwrap();
        assert!(edge.knows_sessions(&names("s", 300)));
        let segments = kv.puts().iter().filter(|put| put.key != KV_HEAD_KEY).count();
        assert_eq!(segments, 1, "what KV has is not put again");
    }

    async fn two_publications_at_once_never_share_a_version(world) {
        let origin = world.publisher().await;
        let now = origin.now();
        let one = publish_once(&origin.publisher, now);
        let two = publish_once(&origin.publisher, now);
        let (one, two) = tokio::join!(one, two);
        assert_ne!(one.unwrap().version, two.unwrap().version);
    }
}

async fn deliver(replica: &Replica) -> Delivery {
    let kv = replica.publisher.kv.clone().unwrap();
    deliver_once(&replica.publisher, &kv, replica.now())
        .await
        .unwrap()
}

/// Polls `work` at most so often and then drops it where it stands, as a crash would.
async fn poll_at_most<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}
