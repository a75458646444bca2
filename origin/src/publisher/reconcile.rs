//! Compares what KV holds with what it was given, at start and every minute. A put that was
//! acknowledged and lost, or a value that somebody rolled back, is noticed here and put again.

use std::sync::Arc;
use std::time::Duration;

use shared::{
    KV_HEAD_KEY, KeySet, ListMessage, MAX_MESSAGE_BYTES, NativeVerifier, UnixSeconds,
    UnverifiedHead, kv_segment_key,
};
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::deliver::DeliverError;
use super::kv_client::{KvClient, KvError};
use super::outage::Outage;
use crate::store::{list, list_travel, segments};

const INTERVAL: Duration = Duration::from_mins(1);

/// How many values were missing from KV and are now to be put again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repairs {
    pub heads: u64,
    pub segments: u64,
}

/// Finds what KV lacks and marks it as not delivered; `deliver` does the rest.
pub async fn reconcile_once(
    publisher: &Publisher,
    kv: &KvClient,
    now: UnixSeconds,
) -> Result<Repairs, DeliverError> {
    if publisher.lease.fence().is_none() {
        return Ok(Repairs::default());
    }
    let repairs = Repairs {
        segments: mark_missing_segments(publisher, kv, now).await?,
        heads: mark_missing_head(publisher, kv).await?,
    };
    if repairs != Repairs::default() {
        publisher.undelivered.notify_one();
    }
    Ok(repairs)
}

async fn mark_missing_head(publisher: &Publisher, kv: &KvClient) -> Result<u64, DeliverError> {
    let Some(newest) = list::find_newest_version(&publisher.pool).await? else {
        return Ok(0);
    };
    if list_travel::find_delivered_at(&publisher.pool, newest)
        .await?
        .is_none()
    {
        return Ok(0);
    }
    if find_version_in_kv(publisher, kv)
        .await?
        .is_some_and(|version| version >= newest)
    {
        return Ok(0);
    }
    list_travel::mark_undelivered(&publisher.pool, newest).await?;
    Ok(1)
}

/// The version of the list in KV, `None` if there is none, or none that we signed.
async fn find_version_in_kv(publisher: &Publisher, kv: &KvClient) -> Result<Option<u64>, KvError> {
    match kv.find(KV_HEAD_KEY, MAX_MESSAGE_BYTES).await {
        Ok(Some(value)) => Ok(verified_version(publisher, &value).await),
        Ok(None) | Err(KvError::ValueTooLong) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn verified_version(publisher: &Publisher, value: &[u8]) -> Option<u64> {
    let keys = serde_json::json!({ "keys": [publisher.keys.list.public_jwk()] });
    let keys = KeySet::from_value(&keys).ok()?;
    let message = ListMessage::parse(value).ok()?;
    let head = UnverifiedHead::parse(&message.head).ok()?;
    let signed = head.verify_signature(&keys, &NativeVerifier).await.ok()?;
    Some(signed.head().ver)
}

/// Replicas that do not share the list key publish lists that the edges of one of them refuse.
pub(super) async fn warn_if_signed_by_another_key(publisher: &Publisher) {
    let Some(newest) = publisher.pull_lane.newest() else {
        return;
    };
    if verified_version(publisher, &newest.message_after(0))
        .await
        .is_none()
    {
        tracing::warn!(
            list.version = newest.version(),
            "the newest list was signed with another list key (PORTCULLIS_LIST_KEY): edges must \
             pin both, and replicas must share one"
        );
    }
}

async fn mark_missing_segments(
    publisher: &Publisher,
    kv: &KvClient,
    now: UnixSeconds,
) -> Result<u64, DeliverError> {
    let live = segments::list_live(&publisher.pool, now).await?;
    if live.is_empty() {
        return Ok(0);
    }
    let present = kv.find_keys(&kv_segment_key("")).await?;
    let mut missing = 0;
    for segment in live.iter().filter(|segment| segment.delivered_at.is_some()) {
        if !present.contains(&kv_segment_key(&segment.sha256)) {
            segments::mark_undelivered(&publisher.pool, &segment.sha256).await?;
            missing += 1;
        }
    }
    Ok(missing)
}

pub(super) async fn run(publisher: Arc<Publisher>, kv: KvClient, stop: CancellationToken) {
    let mut outage = Outage::of("reconciler");
    loop {
        match reconcile_once(&publisher, &kv, publisher.clock.now()).await {
            Ok(repairs) => {
                outage.is_over();
                note(repairs);
            }
            Err(error) => outage.failed(error.code(), &error),
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(INTERVAL))
            .await
            .is_none()
        {
            return;
        }
    }
}

fn note(repairs: Repairs) {
    metrics::counter!("portcullis_kv_repairs_total", "value" => "head").increment(repairs.heads);
    metrics::counter!("portcullis_kv_repairs_total", "value" => "segment")
        .increment(repairs.segments);
    if repairs != Repairs::default() {
        tracing::warn!(
            repairs.heads,
            repairs.segments,
            "KV lacked what it had been given; it is put again"
        );
    }
}
