//! Merging and forgetting, beside publishing: segments are merged when a tail was sealed, and what
//! no edge and no receipt can need any more is deleted once a minute.

use std::sync::Arc;
use std::time::Duration;

use shared::UnixSeconds;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::compact::{Compaction, compact_once};
use super::outage::Outage;
use super::publish_once::PublishError;
use crate::store::{forget, list, outbox, segments};

const INTERVAL: Duration = Duration::from_mins(1);
/// Heads are kept this long for receipts; segments so that an edge with an older head finds them.
const KEPT_SECS: u64 = 3600;
/// For whoever looks into what went out just now.
const TEXTS_KEPT_SECS: u64 = 300;

pub(super) async fn run(publisher: Arc<Publisher>, stop: CancellationToken) {
    let mut outage = Outage::of("housekeeping");
    loop {
        match keep_house(&publisher, publisher.clock.now()).await {
            Ok(()) => outage.is_over(),
            // The other replica does it now.
            Err(PublishError::Fenced) => publisher.lease.lose(),
            Err(error) => outage.failed(error.code(), &error),
        }
        let sealed = publisher.sealed.notified();
        tokio::select! {
            () = stop.cancelled() => return,
            () = sealed => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// One round of it.
pub async fn keep_house(publisher: &Publisher, now: UnixSeconds) -> Result<(), PublishError> {
    let Some(fence) = publisher.lease.fence() else {
        return Ok(());
    };
    while let Compaction::Merged { segments, entries } =
        compact_once(&publisher.pool, fence, now).await?
    {
        metrics::counter!("portcullis_segment_merges_total").increment(1);
        tracing::debug!(segments, entries, "merged segments");
    }
    let longest_use_secs = publisher.settings.lifetime_secs + publisher.settings.grace_secs;
    let forget_before = now.minus_secs(KEPT_SECS.max(longest_use_secs));
    list::prune_texts(&publisher.pool, now.minus_secs(TEXTS_KEPT_SECS)).await?;
    list::prune_heads(&publisher.pool, forget_before).await?;
    segments::prune(&publisher.pool, forget_before).await?;
    outbox::prune(&publisher.pool, forget_before).await?;
    forget::forget_ended(&publisher.pool, now).await?;
    Ok(())
}
