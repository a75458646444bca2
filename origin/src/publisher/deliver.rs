//! The durable lane: puts the newest list into KV, at most once a second, and tries again until it
//! is there. A list that was overtaken meanwhile is never put: only the newest is read.

use std::sync::Arc;
use std::time::Duration;

use shared::{KV_HEAD_KEY, UnixSeconds, kv_segment_key};
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::deliveries::Arrival;
use super::kv_client::{KvClient, KvError};
use super::outage::Outage;
use crate::backoff::Backoff;
use crate::clock::CLOCK_ERROR_SECS;
use crate::fault::{self, Gap};
use crate::store::{list, list_travel, segments};

/// KV takes one put a second for one key.
const BETWEEN_PUTS: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// What KV asks for is kept to, but not for so long that the lane would be taken for given up.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    Kv(#[from] KvError),
}

impl DeliverError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(_) => "store_unavailable",
            Self::Kv(error) => error.code(),
        }
    }

    /// Not sooner than KV asked for, if it did.
    fn pause(&self, own_pause: Duration) -> Duration {
        let asked_for = match self {
            Self::Store(_) => None,
            Self::Kv(error) => error.retry_after(),
        };
        own_pause.max(asked_for.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Delivered {
        version: u64,
    },
    /// KV has the newest list already, or there is none.
    UpToDate,
    /// Another replica publishes; it also delivers.
    NotOurs,
}

/// Brings KV up to the newest list. Safe to repeat from any step: segments first, so that no head
/// in KV ever names one that is not there.
pub async fn deliver_once(
    publisher: &Publisher,
    kv: &KvClient,
    now: UnixSeconds,
) -> Result<Delivery, DeliverError> {
    let pool = &publisher.pool;
    if publisher.lease.fence().is_none() {
        return Ok(Delivery::NotOurs);
    }
    let Some(newest) = list::find_newest_list(pool).await? else {
        return Ok(Delivery::UpToDate);
    };
    let surely_now = now.minus_secs(CLOCK_ERROR_SECS);
    while let Some(segment) = segments::find_undelivered(pool, surely_now).await? {
        let life_secs = life_secs(publisher, segment.retain_until, now);
        kv.put(
            &kv_segment_key(&segment.sha256),
            segment.bytes,
            Some(life_secs),
        )
        .await?;
        fault::cross(Gap::SegmentPut);
        segments::mark_delivered(pool, &segment.sha256, now).await?;
        fault::cross(Gap::SegmentMarked);
    }
    if list_travel::find_delivered_at(pool, newest.version)
        .await?
        .is_some()
    {
        return Ok(Delivery::UpToDate);
    }
    kv.put(
        KV_HEAD_KEY,
        newest.message_from(0).to_json().into_bytes(),
        None,
    )
    .await?;
    fault::cross(Gap::HeadPut);
    let (version, at) = (newest.version, publisher.clock.now());
    list_travel::mark_delivered(pool, version, at).await?;
    fault::cross(Gap::HeadMarked);
    publisher.deliveries.note(Arrival { version, at });
    Ok(Delivery::Delivered { version })
}

/// A segment stays in KV for as long as any list that names it may be used.
fn life_secs(publisher: &Publisher, retain_until: UnixSeconds, now: UnixSeconds) -> u64 {
    let settings = &publisher.settings;
    let longest_use_secs = CLOCK_ERROR_SECS + settings.lifetime_secs + settings.grace_secs;
    retain_until
        .plus_secs(longest_use_secs)
        .as_secs()
        .saturating_sub(now.as_secs())
}

/// Delivers each newest list until `stop`.
pub(super) async fn run(publisher: Arc<Publisher>, kv: KvClient, stop: CancellationToken) {
    let mut newest = publisher.pull_lane.subscribe();
    let mut backoff = Backoff::up_to(LONGEST_PAUSE);
    let mut outage = Outage::of("kv");
    loop {
        newest.mark_unchanged();
        let attempt = deliver_once(&publisher, &kv, publisher.clock.now());
        let pause = match stop.run_until_cancelled(attempt).await {
            None => return,
            Some(Ok(delivery)) => {
                outage.is_over();
                backoff.reset();
                note(delivery);
                BETWEEN_PUTS
            }
            Some(Err(error)) => {
                outage.failed(error.code(), &error);
                newest.mark_changed();
                error.pause(backoff.next_pause())
            }
        };
        let next = async {
            tokio::time::sleep(pause).await;
            tokio::select! {
                // An error means that the lane is gone, and with it the origin: `stop` follows.
                _ = newest.changed() => {}
                () = publisher.undelivered.notified() => {}
            }
        };
        if stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

fn note(delivery: Delivery) {
    if let Delivery::Delivered { version } = delivery {
        metrics::counter!("portcullis_kv_heads_delivered_total").increment(1);
        tracing::debug!(list.version = version, "delivered to KV");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause_secs(own: u64, retry_after: Option<u64>) -> u64 {
        let retry_after = retry_after.map(Duration::from_secs);
        let error = DeliverError::Kv(KvError::RateLimited { retry_after });
        error.pause(Duration::from_secs(own)).as_secs()
    }

    #[test]
    fn a_pause_that_kv_asks_for_is_kept_to_within_reason() {
        assert_eq!(pause_secs(3, None), 3);
        assert_eq!(pause_secs(3, Some(7)), 7);
        assert_eq!(pause_secs(9, Some(7)), 9);
        assert_eq!(pause_secs(3, Some(86_400)), 60);
    }
}
