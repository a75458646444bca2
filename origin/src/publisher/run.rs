//! The publisher's loop: wakes, coalesces, beats. A replica is either the holder of the lease, who
//! publishes, or a candidate, who watches for the holder to fall silent.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::follow::LOOK_INTERVAL;
use super::lease::{LeaseWatch, RENEWAL};
use super::outage::Outage;
use super::publish_once::{Publication, PublishError, Rest, publish_once};
use crate::backoff::Backoff;
use crate::store::{outbox, token_keys};

/// A database that is back is noticed this soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Publishes until `stop`.
pub(super) async fn run(publisher: Arc<Publisher>, stop: CancellationToken) {
    let mut holder = HolderLoop::new(&publisher);
    let mut watch = LeaseWatch::default();
    let work = async {
        loop {
            if publisher.lease.fence().is_some() {
                holder.step().await;
            } else {
                watch_once(&publisher, &mut watch).await;
            }
        }
    };
    // A transaction that is cut off here rolls back; `finish` makes the last publication.
    let ended: Option<std::convert::Infallible> = stop.run_until_cancelled(work).await;
    debug_assert!(ended.is_none());
}

/// A candidate's step: takes the lease if its holder fell silent. What was revoked here meanwhile
/// is the holder's to publish; it hears of it through Redis, or finds it at its next look.
async fn watch_once(publisher: &Publisher, watch: &mut LeaseWatch) {
    tokio::time::sleep(LOOK_INTERVAL).await;
    let now = std::time::Instant::now();
    if let Err(error) = publisher
        .lease
        .claim_if_silent(&publisher.pool, watch, now)
        .await
    {
        // The follower looks at the same database as often, and reports its outage.
        tracing::debug!(error = %error, "cannot look at the lease");
    }
}

/// Why the holder publishes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Revocations,
    Keys,
    Heartbeat,
}

struct HolderLoop<'p> {
    publisher: &'p Publisher,
    last_publication: Option<Instant>,
    last_renewal: Instant,
    rest: Rest,
    backoff: Backoff,
    outage: Outage,
}

impl<'p> HolderLoop<'p> {
    fn new(publisher: &'p Publisher) -> Self {
        Self {
            publisher,
            // `start` has just published, if it was for this replica to do.
            last_publication: publisher.lease.fence().map(|_| Instant::now()),
            last_renewal: Instant::now(),
            rest: Rest::Empty,
            backoff: Backoff::up_to(LONGEST_PAUSE),
            outage: Outage::of("publisher"),
        }
    }

    async fn step(&mut self) {
        let published = match self.wait_until_due().await {
            Ok(Some(due)) => {
                self.wait_until_apart().await;
                self.publish(due).await
            }
            Ok(None) => return,
            Err(error) => Err(error.into()),
        };
        match published {
            Ok(_) => {
                self.outage.is_over();
                self.backoff.reset();
            }
            Err(PublishError::Fenced) => self.publisher.lease.lose(),
            Err(error) => {
                self.outage.failed(error.code(), &error);
                tokio::time::sleep(self.backoff.next_pause()).await;
            }
        }
    }

    /// `None` after a look that found nothing to do.
    async fn wait_until_due(&mut self) -> sqlx::Result<Option<Due>> {
        if self.rest == Rest::Waiting {
            return Ok(Some(Due::Revocations));
        }
        let heartbeat = self.publisher.heartbeat;
        let beat_at = self
            .last_publication
            .map_or_else(Instant::now, |last| last + heartbeat);
        tokio::select! {
            // A commit in this process.
            () = self.publisher.wake.notified() => Ok(Some(Due::Revocations)),
            () = tokio::time::sleep_until(beat_at) => Ok(Some(Due::Heartbeat)),
            // Commits of other processes: heard of through Redis, or, as those of the command
            // line, found by looking.
            () = self.publisher.revoked_elsewhere.notified() => self.look().await,
            () = tokio::time::sleep(LOOK_INTERVAL) => self.look().await,
        }
    }

    async fn look(&mut self) -> sqlx::Result<Option<Due>> {
        if self.last_renewal.elapsed() >= RENEWAL {
            self.publisher.lease.renew(&self.publisher.pool).await?;
            self.last_renewal = Instant::now();
        }
        let pool = &self.publisher.pool;
        if outbox::find_any_unpublished(pool).await?.is_some() {
            return Ok(Some(Due::Revocations));
        }
        let unlisted = token_keys::find_any_unlisted(pool).await?;
        Ok(unlisted.map(|()| Due::Keys))
    }

    /// The first publication goes at once; those that follow closely are made one.
    async fn wait_until_apart(&self) {
        if let Some(last) = self.last_publication {
            tokio::time::sleep_until(last + self.publisher.pull_lane.publication_interval()).await;
        }
    }

    async fn publish(&mut self, due: Due) -> Result<Publication, PublishError> {
        let started = Instant::now();
        // Whoever committed up to here is in this list and need not wake us for another.
        let _was_woken = self.publisher.wake.notified().now_or_never();
        let publication = publish_once(self.publisher, self.publisher.clock.now()).await?;
        self.last_publication = Some(started);
        self.last_renewal = started;
        self.rest = publication.rest;
        if publication.rest == Rest::Waiting {
            // Room for more comes from merging.
            self.publisher.sealed.notify_one();
        }
        note(due, publication, started.elapsed());
        Ok(publication)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a version in milliseconds is exact in an f64"
)]
fn note(due: Due, publication: Publication, took: Duration) {
    metrics::counter!("portcullis_lists_published_total").increment(1);
    metrics::counter!("portcullis_revocations_published_total")
        .increment(publication.carried as u64);
    metrics::histogram!("portcullis_publication_seconds").record(took.as_secs_f64());
    metrics::gauge!("portcullis_list_version").set(publication.version as f64);
    tracing::debug!(
        ?due,
        list.version = publication.version,
        list.carried = publication.carried,
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "published"
    );
}
