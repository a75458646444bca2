//! The durable lane against a double of KV that misbehaves.

use std::time::{Duration, Instant};

use origin::publisher::deliver::{Delivery, deliver_once};
use origin::publisher::pull_lane::Pulled;
use origin::publisher::reconcile::{Repairs, reconcile_once};
use origin::store::receipts::find_travel;
use shared::{KV_HEAD_KEY, Scope};

use crate::edge::Edge;
use crate::harness::{PATIENCE, Replica, World, eventually, names, on_both_stores};
use crate::kv_double::{KvDouble, Mood};

/// After which the origin gives up a put.
const KV_TIMEOUT: Duration = Duration::from_secs(10);

async fn start(world: &World, kv: &KvDouble) -> Replica {
    world.replica_with_kv("first", kv).await.started().await
}

async fn deliver(replica: &Replica) -> Result<Delivery, &'static str> {
    let kv = replica.publisher.kv.clone().unwrap();
    let delivery = deliver_once(&replica.publisher, &kv, replica.now()).await;
    delivery.map_err(|error| error.code())
}

async fn reconcile(replica: &Replica) -> Repairs {
    let kv = replica.publisher.kv.clone().unwrap();
    reconcile_once(&replica.publisher, &kv, replica.now())
        .await
        .unwrap()
}

on_both_stores! {
    async fn kv_gets_the_segments_first_and_then_the_whole_list(world) {
        let kv = KvDouble::start().await;
        let origin = start(world, &kv).await;
        origin.revoke_sessions(&names("s", 300)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.revoke_sessions(&names("t", 2)).await;
        let version = origin.publish().await.version;

        assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version }));

        let puts = kv.puts();
        let keys: Vec<_> = puts.iter().map(|put| put.key.split('/').nth(1).unwrap()).collect();
        assert_eq!(keys, ["segment", "head"]);
        assert_eq!(puts[0].expiration_ttl, Some(3630 + 120 + 180 - 300));
        assert_eq!(puts[1].expiration_ttl, None);
        assert!(puts.iter().all(|put| put.authorization == "Bearer the token of a test"));
        let mut edge = Edge::of(&origin);
        edge.take(&kv.value(KV_HEAD_KEY).unwrap(), origin.now()).await.unwrap();
        assert_eq!(edge.list.unwrap().entry_count(), 302);
    }

    async fn each_kind_of_failure_has_its_code_and_the_list_stays_undelivered(world) {
        let kv = KvDouble::start().await;
        let origin = start(world, &kv).await;
        let version = origin.publish().await.version;
        for (mood, code) in [
            (Mood::Status(429), "kv_rate_limited"),
            (Mood::Status(500), "kv_failed"),
            (Mood::Status(503), "kv_failed"),
            (Mood::Status(401), "kv_unauthorized"),
            (Mood::Status(403), "kv_unauthorized"),
            (Mood::Status(404), "kv_refused"),
            (Mood::Status(302), "kv_refused"),
            (Mood::Garbage, "kv_bad_answer"),
            (Mood::Refusal, "kv_bad_answer"),
        ] {
            kv.will_be(&[mood]);
            assert_eq!(deliver(&origin).await, Err(code), "{mood:?}");
            assert_eq!(find_travel(origin.pool(), version).await.unwrap().delivered_at, None);
        }
        assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version }));
    }

    async fn a_list_that_was_overtaken_is_never_put(world) {
        let kv = KvDouble::start().await;
        let origin = start(world, &kv).await;
        let overtaken = origin.publish().await.version;
        let newest = origin.publish().await.version;
        assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version: newest }));
        assert_eq!(kv.puts().len(), 1);
        // What it said is in KV all the same, and its receipts say so.
        assert!(find_travel(origin.pool(), overtaken).await.unwrap().delivered_at.is_some());
    }

    async fn a_kv_that_hangs_does_not_hold_up_the_pull_lane(world) {
        let kv = KvDouble::start().await;
        kv.stays(Mood::Silent);
        let origin = start(world, &kv).await;
        let tasks = origin.run();
        eventually(async || !kv.puts().is_empty()).await;
        let started = Instant::now();
        for name in names("s", 5) {
            let held = origin.publisher.pull_lane.newest().unwrap().version();
            origin.revoke(Scope::Session, &name, None).await;
            let pulled = origin.publisher.pull_lane.pull(held, PATIENCE).await;
            assert!(matches!(pulled, Pulled::Newer(_)));
        }
        let each_waited = KV_TIMEOUT * 5;
        assert!(started.elapsed() < each_waited, "each waited for KV");
        tasks.stop().await;
    }

    async fn delivery_goes_on_until_kv_is_well_again(world) {
        let kv = KvDouble::start().await;
        kv.will_be(&[Mood::Status(500), Mood::Status(429), Mood::Garbage]);
        let origin = start(world, &kv).await;
        let id = origin.revoke(Scope::Session, "a", None).await;
        let tasks = origin.run();
        eventually(async || {
            let version = origin.find_revocation(&id).await.version;
            let Some(version) = version else { return false };
            find_travel(origin.pool(), version).await.unwrap().delivered_at.is_some()
        })
        .await;
        assert!(kv.puts().len() >= 4);
        tasks.stop().await;
    }

    async fn a_put_that_was_acknowledged_and_lost_is_found_and_put_again(world) {
        let kv = KvDouble::start().await;
        kv.will_be(&[Mood::Forgetful]);
        let origin = start(world, &kv).await;
        let version = origin.publish().await.version;
        assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version }));
        assert_eq!(kv.value(KV_HEAD_KEY), None);

        assert_eq!(reconcile(&origin).await, Repairs { heads: 1, segments: 0 });
        assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version }));
        assert_eq!(reconcile(&origin).await, Repairs::default());
    }

    async fn a_value_that_is_not_our_newest_list_is_put_again(world) {
        let kv = KvDouble::start().await;
        let origin = start(world, &kv).await;
        origin.publish().await;
        deliver(&origin).await.unwrap();
        let rolled_back = kv.value(KV_HEAD_KEY).unwrap();
        let version = origin.publish().await.version;
        deliver(&origin).await.unwrap();
        let good = kv.value(KV_HEAD_KEY).unwrap();
        let truncated = &good[..good.len() / 2];
        let mut forged = good.clone();
        forged[40] ^= 1;
        let too_long = vec![0xff; 300_000];
        for bad in [&rolled_back[..], truncated, &forged, b"", b"null", &too_long] {
            kv.set(KV_HEAD_KEY, bad);
            assert_eq!(reconcile(&origin).await, Repairs { heads: 1, segments: 0 });
            assert_eq!(deliver(&origin).await, Ok(Delivery::Delivered { version }));
            assert_eq!(kv.value(KV_HEAD_KEY).unwrap(), good);
        }
    }

    async fn a_segment_that_went_missing_is_put_again(world) {
        let kv = KvDouble::start().await;
        let origin = start(world, &kv).await;
        origin.revoke_sessions(&names("s", 300)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.publish().await;
        deliver(&origin).await.unwrap();
        let segment = kv.puts().into_iter().find(|put| put.key != KV_HEAD_KEY).unwrap();
        kv.remove(&segment.key);

        assert_eq!(reconcile(&origin).await, Repairs { heads: 0, segments: 1 });
        assert_eq!(deliver(&origin).await, Ok(Delivery::UpToDate));
        assert_eq!(kv.value(&segment.key), Some(segment.value));
    }

    async fn a_replica_without_the_lease_leaves_kv_alone(world) {
        let kv = KvDouble::start().await;
        let holder = start(world, &kv).await;
        holder.publish().await;
        let other = world.replica_with_kv("second", &kv).await.started().await;
        assert_eq!(deliver(&other).await, Ok(Delivery::NotOurs));
        assert_eq!(reconcile(&other).await, Repairs::default());
        assert!(kv.puts().is_empty());
    }
}
