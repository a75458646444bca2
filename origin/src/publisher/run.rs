//! The publisher's loop: wakes, coalesces, beats. A replica is either the holder of the lease, who
//! publishes, or a candidate, who watches for the holder to fall silent.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::follow::LOOK_INTERVAL;
use super::lease::{LeaseWatch, RENEWAL};
use super::outage::Outage;
use super::publish_once::{Publication, PublishError, Rest, publish_once};
use super::{Publisher, deliver, follow, housekeeping, reconcile, replicas};
use crate::config::Config;
use crate::shutdown::Supervisor;
use crate::store::outbox;

/// A database that is back is noticed this soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The last publication and its delivery may take this long while the process ends.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// Gets the pull lane its first list: a new one if this replica may publish, else the newest that
/// another published. An origin without any list is not ready, and [`run`] goes on trying.
pub async fn start(publisher: &Publisher) -> Result<(), PublishError> {
    publisher.lease.claim_at_start(&publisher.pool).await?;
    follow::follow_once(&publisher.pool, &publisher.pull_lane).await?;
    if publisher.lease.fence().is_none() {
        return Ok(());
    }
    match publish_once(publisher, publisher.clock.now()).await {
        // Another replica started at the same moment and was later to claim.
        Ok(_) | Err(PublishError::Fenced) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Hands every task of the publisher to `supervisor`.
pub fn spawn_tasks(publisher: &Arc<Publisher>, config: &Config, supervisor: &mut Supervisor) {
    let stop = supervisor.stop_background();
    let own = || Arc::clone(publisher);
    supervisor.spawn("publisher", run(own(), stop.clone()));
    supervisor.spawn("follower", follow::run(own(), stop.clone()));
    supervisor.spawn("housekeeping", housekeeping::run(own(), stop.clone()));
    if let Some(kv) = &publisher.kv {
        supervisor.spawn("delivery", deliver::run(own(), kv.clone(), stop.clone()));
        supervisor.spawn(
            "reconciler",
            reconcile::run(own(), kv.clone(), stop.clone()),
        );
    }
    if let Some(url) = &config.redis_url {
        supervisor.spawn("replicas", replicas::run(own(), url.clone(), stop));
    }
}

/// Publishes and delivers what the last requests left behind, and gives the lease back.
pub async fn finish(publisher: &Publisher) -> Result<(), PublishError> {
    if publisher.lease.fence().is_none() {
        return Ok(());
    }
    if outbox::find_any_unpublished(&publisher.pool)
        .await?
        .is_some()
    {
        publish_once(publisher, publisher.clock.now()).await?;
    }
    if let Some(kv) = &publisher.kv {
        let delivery = deliver::deliver_once(publisher, kv, publisher.clock.now());
        match tokio::time::timeout(LAST_DELIVERY, delivery).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(code = error.code(), "the last list is not in KV"),
            Err(_) => tracing::warn!(code = "kv_timed_out", "the last list is not in KV"),
        }
    }
    publisher.lease.release(&publisher.pool).await?;
    Ok(())
}

/// Publishes until `stop`.
async fn run(publisher: Arc<Publisher>, stop: CancellationToken) {
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
            Ok(Some(_)) => {
                self.wait_until_apart().await;
                self.publish().await
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
            // Commits of other processes, the command line among them.
            () = tokio::time::sleep(LOOK_INTERVAL) => self.look().await,
        }
    }

    async fn look(&mut self) -> sqlx::Result<Option<Due>> {
        if self.last_renewal.elapsed() >= RENEWAL {
            self.publisher.lease.renew(&self.publisher.pool).await?;
            self.last_renewal = Instant::now();
        }
        let unpublished = outbox::find_any_unpublished(&self.publisher.pool).await?;
        Ok(unpublished.map(|()| Due::Revocations))
    }

    /// The first publication goes at once; those that follow closely are made one.
    async fn wait_until_apart(&self) {
        if let Some(last) = self.last_publication {
            tokio::time::sleep_until(last + self.publisher.pull_lane.publication_interval()).await;
        }
    }

    async fn publish(&mut self) -> Result<Publication, PublishError> {
        let started = Instant::now();
        let publication = publish_once(self.publisher, self.publisher.clock.now()).await?;
        self.last_publication = Some(started);
        self.last_renewal = started;
        self.rest = publication.rest;
        if publication.rest == Rest::Waiting {
            // Room for more comes from merging.
            self.publisher.sealed.notify_one();
        }
        note(publication, started.elapsed());
        Ok(publication)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a version in milliseconds is exact in an f64"
)]
fn note(publication: Publication, took: Duration) {
    metrics::counter!("portcullis_lists_published_total").increment(1);
    metrics::counter!("portcullis_revocations_published_total")
        .increment(publication.carried as u64);
    metrics::histogram!("portcullis_publication_seconds").record(took.as_secs_f64());
    metrics::gauge!("portcullis_list_version").set(publication.version as f64);
    tracing::debug!(
        list.version = publication.version,
        list.carried = publication.carried,
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "published"
    );
}
