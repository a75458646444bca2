//! How far lists have come on the last lane that this origin brings them to, for those who wait for
//! a revocation to be there: one look at the database moves it on for all of them. It knows neither
//! receipts nor HTTP.

use std::sync::Arc;
use std::time::Duration;

use shared::UnixSeconds;
use tokio::sync::{Semaphore, watch};

/// Past this many waiters the answer is immediate: a receipt is asked for by people and scripts,
/// not by every edge.
const MOST_WAITERS: usize = 1024;

/// Cheap to clone: every clone is the same.
#[derive(Debug, Clone)]
pub struct Deliveries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    newest: watch::Sender<Option<Arrival>>,
    places: Semaphore,
}

/// A list that came to the end of its way, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub version: u64,
    pub at: UnixSeconds,
}

/// What a wait for the next delivery ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Worth another look.
    Arrived,
    TimeIsOver,
    /// So many wait that no other may.
    Full,
}

/// Sees every delivery from its making on.
#[derive(Debug)]
pub struct DeliveryWatch {
    deliveries: Deliveries,
    newest: watch::Receiver<Option<Arrival>>,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self(Arc::new(Inner {
            newest: watch::Sender::new(None),
            places: Semaphore::new(MOST_WAITERS),
        }))
    }
}

impl Deliveries {
    /// The newest that has arrived. One that was lost and put again arrives again.
    pub fn note(&self, newest: Arrival) {
        self.0
            .newest
            .send_if_modified(|known| known.replace(newest) != Some(newest));
    }

    /// Whether a look is worth its statement.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.0.newest.receiver_count() > 0
    }

    /// To be made before the look that decides whether to wait, so that nothing falls in between.
    #[must_use]
    pub fn watch(&self) -> DeliveryWatch {
        DeliveryWatch {
            deliveries: self.clone(),
            newest: self.0.newest.subscribe(),
        }
    }

    #[must_use]
    pub fn waiters(&self) -> usize {
        MOST_WAITERS - self.0.places.available_permits()
    }
}

impl DeliveryWatch {
    pub async fn next(&mut self, wait: Duration) -> Waited {
        let Ok(_place) = self.deliveries.0.places.try_acquire() else {
            return Waited::Full;
        };
        match tokio::time::timeout(wait, self.newest.changed()).await {
            Ok(Ok(())) => Waited::Arrived,
            // The sender lives as long as `self.deliveries`: only the time can be over.
            Ok(Err(_)) | Err(_) => Waited::TimeIsOver,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn arrival(version: u64, secs: u64) -> Arrival {
        let at = UnixSeconds::from_secs(secs);
        Arrival { version, at }
    }

    #[tokio::test(start_paused = true)]
    async fn an_arrival_between_the_look_and_the_wait_is_seen() {
        let deliveries = Deliveries::default();
        let mut watch = deliveries.watch();
        deliveries.note(arrival(5, 1));
        assert_eq!(watch.next(LONG).await, Waited::Arrived);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_news_wakes_nobody_and_a_second_arrival_is_news() {
        let deliveries = Deliveries::default();
        deliveries.note(arrival(5, 1));
        let mut watch = deliveries.watch();
        deliveries.note(arrival(5, 1));
        assert_eq!(watch.next(LONG).await, Waited::TimeIsOver);
        deliveries.note(arrival(5, 2));
        assert_eq!(watch.next(LONG).await, Waited::Arrived);
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_bound_nobody_waits_and_a_place_is_free_again_after_each() {
        let deliveries = Deliveries::default();
        let all = u32::try_from(MOST_WAITERS).unwrap();
        let taken = deliveries.0.places.try_acquire_many(all).unwrap();
        assert_eq!(deliveries.watch().next(LONG).await, Waited::Full);
        drop(taken);
        assert_eq!(deliveries.watch().next(LONG).await, Waited::TimeIsOver);
        assert_eq!(deliveries.waiters(), 0);
    }
}
