//! Keeping the list fresh: what a request fetches for itself, and what goes on in the background.
//! `lanes` says when, `list_fetch` does one fetch. Nothing here awaits another request's work.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::config::Switch;
use crate::lanes::{MAX_PULLS_PER_LOOP, PULL_LOOP_MS, PULL_WAIT_SECS, Ticket};
use crate::list_fetch::{FetchOutcome, ListFetcher};
use crate::platform::{Call, clock};

/// How long a request waits for the origin's list when its own will not do.
const OWN_PULL_TIMEOUT_MS: u32 = 1_000;
/// Between questions that the origin answers at once.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Beyond the time that a pull may hang.
const PULL_GRACE_MS: u32 = 3_000;

/// Opens a pull where none is open, and asks KV where the pull lane does not carry.
pub fn keep_fresh(fetcher: &ListFetcher, call: &Call) {
    let now = clock::now();
    let mut lanes = fetcher.isolate.lanes.borrow_mut();
    let ticket = match fetcher.config.pull_lane {
        Switch::On => lanes.open_pull(now),
        Switch::Off => None,
    };
    if let Some(ticket) = ticket {
        let fetcher = fetcher.clone();
        call.run_in_background(async move { keep_pulling(&fetcher, ticket).await });
    }
    let list_iat = fetcher
        .isolate
        .lists
        .borrow()
        .current()
        .map(|held| held.list.head().iat);
    if !lanes.pull_carries(list_iat, now) && lanes.ask_kv(now) {
        let fetcher = fetcher.clone();
        call.run_in_background(async move {
            fetcher.refresh_from_kv().await;
        });
    }
}

/// What was missed while nobody listened, for a request that comes after a silence. It is decided
/// by the list in memory where that takes longer than the configuration allows.
pub async fn catch_up(fetcher: &ListFetcher) {
    let lanes_say = pin!(fetch_own(fetcher));
    let patience = pin!(clock::sleep(fetcher.config.catch_up));
    let outcome = select(lanes_say, patience).await;
    let mut lanes = fetcher.isolate.lanes.borrow_mut();
    match outcome {
        Either::Left(((), _)) => lanes.note_caught_up(),
        Either::Right(((), _)) => lanes.note_not_caught_up(clock::now(), clock::chance()),
    }
}

/// Both lanes at once, for a request that cannot be decided by the list in memory. The origin has
/// the newest list, so its answer ends the wait; KV's is taken where the origin gives none. A lane
/// that was asked a moment ago is not asked again.
pub async fn fetch_own(fetcher: &ListFetcher) {
    let now = clock::now();
    let (is_pull_settled, is_kv_settled) = {
        let lanes = fetcher.isolate.lanes.borrow();
        (lanes.is_pull_settled(now), lanes.is_kv_settled(now))
    };
    if is_pull_settled {
        return;
    }
    let origin = pin!(fetcher.pull_once(0, OWN_PULL_TIMEOUT_MS));
    let kv = pin!(async {
        if !is_kv_settled {
            fetcher.refresh_from_kv().await;
        }
    });
    match select(origin, kv).await {
        Either::Left((FetchOutcome::UpToDate, _)) => {}
        Either::Left((FetchOutcome::Failed, kv)) => kv.await,
        Either::Right(((), origin)) => {
            origin.await;
        }
    }
}

/// One hanging request after another, until the invocation's time is nearly over.
async fn keep_pulling(fetcher: &ListFetcher, ticket: Ticket) {
    let version = || fetcher.isolate.lists.borrow().version();
    let ends_at = clock::now().as_millis() + PULL_LOOP_MS;
    for _ in 0..MAX_PULLS_PER_LOOP {
        let asked_at = clock::now();
        let left_secs = ends_at.saturating_sub(asked_at.as_millis()) / 1000;
        if left_secs == 0 {
            break;
        }
        let known = version();
        if pull_hanging(fetcher, left_secs.min(PULL_WAIT_SECS)).await == FetchOutcome::Failed {
            break;
        }
        if version() == known && clock::now() < asked_at.plus_secs(1) {
            // The origin has no room for another hanging request: poll it instead.
            clock::sleep(POLL_INTERVAL).await;
        }
    }
    fetcher.isolate.lanes.borrow_mut().close_pull(ticket);
}

async fn pull_hanging(fetcher: &ListFetcher, wait_secs: u64) -> FetchOutcome {
    // At most `PULL_WAIT_SECS`, so it fits.
    let wait_ms = u32::try_from(wait_secs * 1000).unwrap_or(u32::MAX);
    fetcher
        .pull_once(wait_secs, wait_ms.saturating_add(PULL_GRACE_MS))
        .await
}
