//! The beginning and the end of publishing in this process: the first list before anyone asks, the
//! tasks while it serves, the last list after the last request.

use std::sync::Arc;
use std::time::Duration;

use super::publish_once::{PublishError, publish_once};
use super::{Publisher, deliver, follow, housekeeping, reconcile, replicas, run};
use crate::config::Config;
use crate::shutdown::Supervisor;
use crate::store::outbox;

/// The last publication and its delivery may take this long while the process ends.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// Gets the pull lane its first list: a new one if this replica may publish, else the newest that
/// another published. An origin without any list is not ready, and the publisher's loop goes on trying.
pub async fn start(publisher: &Publisher) -> Result<(), PublishError> {
    publisher.lease.claim_at_start(&publisher.pool).await?;
    follow::follow_once(&publisher.pool, &publisher.pull_lane).await?;
    reconcile::warn_if_signed_by_another_key(publisher).await;
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
    supervisor.spawn("publisher", run::run(own(), stop.clone()));
    supervisor.spawn("follower", follow::run(own(), stop.clone()));
    supervisor.spawn("housekeeping", housekeeping::run(own(), stop.clone()));
    if let Some(kv) = &publisher.kv {
        supervisor.spawn("delivery", deliver::run(own(), kv.clone(), stop.clone()));
        supervisor.spawn(
            "reconciler",
            reconcile::run(own(), kv.clone(), stop.clone()),
        );
    }
    if let Some(redis) = &config.stores.redis {
        supervisor.spawn("replicas", replicas::run(own(), redis.clone(), stop));
    }
}

/// Publishes and delivers what the last requests left behind, and gives the lease back.
pub async fn finish(publisher: &Publisher) -> Result<(), PublishError> {
    match publish_rest(publisher).await {
        // The replica that publishes now finds the same rest.
        Err(PublishError::Fenced) => Ok(()),
        finished => finished,
    }
}

async fn publish_rest(publisher: &Publisher) -> Result<(), PublishError> {
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
