//! Keeps the pull lane at the newest list that any replica published: told through Redis, and in
//! any case by a look at the database four times a second. On the same beat it writes down which
//! versions edges were seen with, and wakes those who wait for a delivery.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyPool;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::deliveries::Arrival;
use super::outage::Outage;
use super::pull_lane::PullLane;
use crate::store::{list, list_travel};

pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// Hands the newest stored list to the lane, if the lane is behind.
pub async fn follow_once(pool: &AnyPool, lane: &PullLane) -> sqlx::Result<()> {
    let held = lane.newest().map_or(0, |list| list.version());
    if list::find_newest_version(pool)
        .await?
        .is_none_or(|newest| newest <= held)
    {
        return Ok(());
    }
    let Some(newest) = list::find_newest_list(pool).await? else {
        return Ok(());
    };
    let marks = list::find_marks(pool, newest.tail_epoch, held).await?;
    lane.offer(newest, &marks);
    Ok(())
}

/// Tells those who wait for a delivery how far it has come. Without KV the pull lane is the last
/// lane.
pub async fn follow_deliveries(publisher: &Publisher) -> sqlx::Result<()> {
    if !publisher.deliveries.is_watched() {
        return Ok(());
    }
    let newest = if publisher.kv.is_some() {
        list_travel::find_newest_delivered(&publisher.pool).await?
    } else {
        let held = publisher.pull_lane.newest();
        held.map(|list| (list.version(), list.list().issued_at))
    };
    if let Some((version, at)) = newest {
        publisher.deliveries.note(Arrival { version, at });
    }
    Ok(())
}

/// Writes down what edges said since the last time. A note that cannot be written is lost: it is
/// for receipts only, and a later version will say as much.
pub async fn record_sightings(pool: &AnyPool, lane: &PullLane) -> sqlx::Result<()> {
    for sighting in lane.sightings().take() {
        list_travel::mark_seen_at_edge(pool, sighting.version, sighting.at).await?;
    }
    Ok(())
}

pub(super) async fn run(publisher: Arc<Publisher>, stop: CancellationToken) {
    let mut outage = Outage::of("database");
    loop {
        match look(&publisher).await {
            Ok(()) => outage.is_over(),
            Err(error) => {
                outage.failed("store_unavailable", &error);
            }
        }
        let notified = publisher.published_elsewhere.notified();
        tokio::select! {
            () = stop.cancelled() => return,
            () = notified => {}
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
}

async fn look(publisher: &Publisher) -> sqlx::Result<()> {
    follow_once(&publisher.pool, &publisher.pull_lane).await?;
    follow_deliveries(publisher).await?;
    record_sightings(&publisher.pool, &publisher.pull_lane).await
}
