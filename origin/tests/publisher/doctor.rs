//! What `portcullis doctor` finds of KV: not only that it can be read.

use origin::doctor::{Finding, State, examine};

use crate::harness::{World, on_both_stores};
use crate::kv_double::{KvDouble, Mood};

async fn find(world: &World, kv: &KvDouble) -> Finding {
    let replica = world.replica_with_kv("first", kv).await;
    let findings = examine(&replica.app.config).await;
    let of_kv = findings.into_iter().find(|finding| finding.part == "kv");
    of_kv.unwrap()
}

on_both_stores! {
    async fn a_token_that_may_only_read_is_found_before_a_list_is_missed(world) {
        let kv = KvDouble::start().await;
        kv.stays(Mood::Status(403));
        let finding = find(world, &kv).await;
        assert_eq!(finding.state, State::Broken, "{finding:?}");
        assert!(finding.advice.unwrap().contains("edit Workers KV"), "{finding:?}");
    }

    async fn what_is_written_to_try_it_is_no_list_and_goes_by_itself(world) {
        let kv = KvDouble::start().await;
        let finding = find(world, &kv).await;
        assert_eq!(finding.found, "holds no list");
        let puts = kv.puts();
        assert_eq!(puts.len(), 1);
        assert_eq!(puts[0].expiration_ttl, Some(60));
        assert!(!puts[0].key.starts_with("list"), "{}", puts[0].key);
    }
}
