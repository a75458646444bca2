//! The fast lane: requests that hang until there is a newer list. It holds the newest one in memory
//! and wakes every waiter at once; none of them can hold back another. It knows no HTTP.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::published_list::PublishedList;
use super::sightings::Sightings;
use crate::store::list::{Mark, StoredList};

/// A publication reaches waiters at least this far apart.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// What all waiters together may be sent in a second before publications are spaced out.
const BYTES_PER_SEC: u64 = 64 * 1024 * 1024;

/// Cheap to clone: every clone is the same lane.
#[derive(Debug, Clone)]
pub struct PullLane(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    newest: watch::Sender<Option<Arc<PublishedList>>>,
    places: Semaphore,
    max_waiters: usize,
    closed: CancellationToken,
    sightings: Sightings,
}

/// What a pull ends with.
#[derive(Debug)]
pub enum Pulled {
    /// There is a list newer than the one the edge holds.
    Newer(Arc<PublishedList>),
    /// The edge holds the newest.
    Unchanged,
    /// Nothing was published or loaded yet.
    NoListYet,
}

impl PullLane {
    #[must_use]
    pub fn new(max_waiters: usize) -> Self {
        let max_waiters = max_waiters.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            newest: watch::Sender::new(None),
            places: Semaphore::new(max_waiters),
            max_waiters,
            closed: CancellationToken::new(),
            sightings: Sightings::default(),
        }))
    }

    /// Makes `list` the newest and wakes the waiters, unless a newer one is there already.
    /// `marks` are heads published since the one that the lane holds.
    pub fn offer(&self, list: StoredList, marks: &[Mark]) {
        self.0.newest.send_if_modified(|newest| {
            if newest
                .as_ref()
                .is_some_and(|newest| newest.version() >= list.version)
            {
                return false;
            }
            *newest = Some(Arc::new(PublishedList::after(
                newest.as_deref(),
                list,
                marks,
            )));
            true
        });
    }

    #[must_use]
    pub fn newest(&self) -> Option<Arc<PublishedList>> {
        self.0.newest.borrow().clone()
    }

    /// Announces each newest list to a task of the origin.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<PublishedList>>> {
        self.0.newest.subscribe()
    }

    /// Answers at once if there is a list newer than `after`; else waits for one, for `wait` at
    /// most, and not at all while the lane is full or closed.
    pub async fn pull(&self, after: u64, wait: Duration) -> Pulled {
        let mut newest = self.0.newest.subscribe();
        if let Some(newer) = newer_than(after, newest.borrow().as_ref()) {
            return Pulled::Newer(newer);
        }
        if !wait.is_zero()
            && let Some(_place) = Place::take(&self.0.places)
        {
            let published = newest.wait_for(|list| newer_than(after, list.as_ref()).is_some());
            tokio::select! {
                () = self.0.closed.cancelled() => {}
                // Both a new list and the end of the wait are answered by the look below.
                _ = tokio::time::timeout(wait, published) => {}
            }
        }
        let list = self.newest();
        match newer_than(after, list.as_ref()) {
            Some(newer) => Pulled::Newer(newer),
            None if list.is_some() => Pulled::Unchanged,
            None => Pulled::NoListYet,
        }
    }

    /// Ends every wait now and lets no new one begin.
    pub fn close(&self) {
        self.0.closed.cancel();
    }

    /// Until [`Self::close`]: the origin ends, and so should whatever hangs.
    pub async fn closed(&self) {
        self.0.closed.cancelled().await;
    }

    #[must_use]
    pub fn waiters(&self) -> usize {
        self.0.max_waiters - self.0.places.available_permits()
    }

    #[must_use]
    pub fn sightings(&self) -> &Sightings {
        &self.0.sightings
    }

    /// How far apart publications have to be, so that sending one to every waiter stays within
    /// `BYTES_PER_SEC`.
    #[must_use]
    pub fn publication_interval(&self) -> Duration {
        let message_bytes = self.newest().map_or(0, |list| {
            let newest = list.version();
            list.message_after(newest).len() as u64
        });
        let burst_bytes = message_bytes.saturating_mul(self.waiters() as u64);
        Duration::from_millis(burst_bytes.saturating_mul(1000) / BYTES_PER_SEC)
            .clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
    }
}

/// One waiter's place; free again when it is dropped, however the wait ends.
struct Place<'p> {
    _permit: SemaphorePermit<'p>,
}

impl<'p> Place<'p> {
    /// `None` while the lane is full.
    fn take(places: &'p Semaphore) -> Option<Self> {
        // The semaphore is never closed, so the only error is that it has no permit left.
        let permit = places.try_acquire().ok()?;
        metrics::gauge!("portcullis_pull_waiters").increment(1.0);
        Some(Self { _permit: permit })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        metrics::gauge!("portcullis_pull_waiters").decrement(1.0);
    }
}

fn newer_than(after: u64, list: Option<&Arc<PublishedList>>) -> Option<Arc<PublishedList>> {
    list.filter(|list| list.version() > after).cloned()
}

#[cfg(test)]
mod tests {
    use shared::UnixSeconds;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn list(version: u64) -> StoredList {
        StoredList {
            version,
            issued_at: UnixSeconds::from_secs(1),
            expires_at: UnixSeconds::from_secs(2),
            head: "h.p.s".to_owned(),
            tail_epoch: 1,
            tail: Vec::new(),
        }
    }

    fn version(pulled: &Pulled) -> Option<u64> {
        match pulled {
            Pulled::Newer(list) => Some(list.version()),
            Pulled::Unchanged | Pulled::NoListYet => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_at_once_when_the_edge_is_behind() {
        let lane = PullLane::new(1);
        lane.offer(list(5), &[]);
        assert_eq!(version(&lane.pull(4, LONG).await), Some(5));
    }

    #[tokio::test(start_paused = true)]
    async fn says_unchanged_when_the_wait_is_over() {
        let lane = PullLane::new(1);
        lane.offer(list(5), &[]);
        assert!(matches!(lane.pull(5, LONG).await, Pulled::Unchanged));
    }

    #[tokio::test(start_paused = true)]
    async fn says_that_there_is_no_list_yet() {
        assert!(matches!(
            PullLane::new(1).pull(0, LONG).await,
            Pulled::NoListYet
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn wakes_every_waiter_with_the_new_list() {
        let lane = PullLane::new(100);
        lane.offer(list(5), &[]);
        let waiters: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn({
                    let lane = lane.clone();
                    async move { lane.pull(5, LONG).await }
                })
            })
            .collect();
        while lane.waiters() < 100 {
            tokio::task::yield_now().await;
        }
        lane.offer(list(6), &[]);
        for waiter in waiters {
            assert_eq!(version(&waiter.await.unwrap()), Some(6));
        }
        assert_eq!(lane.waiters(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_at_once_past_the_bound_of_waiters() {
        let lane = PullLane::new(0);
        lane.offer(list(5), &[]);
        let started = tokio::time::Instant::now();
        assert!(matches!(lane.pull(5, LONG).await, Pulled::Unchanged));
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_the_wait_at_once() {
        let lane = PullLane::new(1);
        lane.offer(list(5), &[]);
        let started = tokio::time::Instant::now();
        let waiter = tokio::spawn({
            let lane = lane.clone();
            async move { lane.pull(5, LONG).await }
        });
        while lane.waiters() == 0 {
            tokio::task::yield_now().await;
        }
        lane.close();
        assert!(matches!(waiter.await.unwrap(), Pulled::Unchanged));
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[test]
    fn never_goes_back_to_an_older_list() {
        let lane = PullLane::new(1);
        lane.offer(list(5), &[]);
        lane.offer(list(4), &[]);
        assert_eq!(lane.newest().map(|list| list.version()), Some(5));
    }
}
