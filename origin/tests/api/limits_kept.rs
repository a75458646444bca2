//! Limits belong to the stores, not to a process: replicas share one count, and it outlives them.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Origin, on_both_stores};

/// Those of one address at one account, see `src/limits.rs`.
const MOST: usize = 10;

on_both_stores! {
    async fn replicas_share_one_count_and_it_outlives_them(origin) {
        origin.register("ada@example.org").await;
        let (one, other) = (origin.replica().await, origin.replica().await);
        for replica in [&one, &other] {
            assert_eq!(fail(replica, MOST / 2).await, [401; MOST / 2]);
        }
        for replica in [&one, &other] {
            let answer = replica.try_log_in("ada@example.org").await;
            assert_eq!((answer.status, answer.code()), (429, "too_many_attempts"));
        }
        drop((one, other));
        let anew = origin.replica().await;
        let answer = anew.try_log_in("ada@example.org").await;
        assert_eq!((answer.status, answer.code()), (429, "too_many_attempts"));
    }

    async fn a_window_that_is_half_used_is_half_used_after_a_restart(origin) {
        origin.register("ada@example.org").await;
        let before = origin.replica().await;
        assert_eq!(fail(&before, MOST - 1).await, [401; MOST - 1]);
        drop(before);
        let after = origin.replica().await;
        assert_eq!(fail(&after, 2).await, [401, 429]);
    }

    async fn guesses_at_two_replicas_at_once_are_no_more_than_at_one(origin) {
        origin.register("ada@example.org").await;
        let (one, other) = (origin.replica().await, origin.replica().await);
        let guess = async |replica: &Origin| {
            let body = json!({"email": "ada@example.org", "password": "wrong password"});
            replica.post("/login", &body).await.status
        };
        let guesses = (0..MOST).flat_map(|_| [guess(&one), guess(&other)]);
        let statuses = join_all(guesses).await;
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), MOST);
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), MOST);
    }
}

/// One after the other, with what became of each.
async fn fail(replica: &Origin, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        let answer = replica.log_in_with("ada@example.org", "wrong password");
        statuses.push(answer.await.status);
    }
    statuses
}
