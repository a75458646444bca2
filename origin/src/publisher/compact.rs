//! Makes the merges that `merge_plan` chooses, beside publishing and not in its way: the next head
//! simply finds other segments in the database.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::merge_plan::{choose_merge, merge_segments};
use super::publish_once::PublishError;
use crate::clock::CLOCK_ERROR_SECS;
use crate::fault::{self, Gap};
use crate::store::segments::{self, NewSegment, SegmentRow};
use crate::store::{self, lease};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compaction {
    Merged { segments: usize, entries: u64 },
    NothingToDo,
}

/// Makes the most useful merge, if there is one.
pub async fn compact_once(
    pool: &AnyPool,
    fence: u64,
    now: UnixSeconds,
) -> Result<Compaction, PublishError> {
    let live = segments::list_live(pool, now.minus_secs(CLOCK_ERROR_SECS)).await?;
    let Some(chosen) = choose_merge(&live) else {
        return Ok(Compaction::NothingToDo);
    };
    let merged = merge(pool, &chosen, now).await?;
    store_merged(pool, fence, &chosen, &merged, now).await?;
    Ok(Compaction::Merged {
        segments: chosen.len(),
        entries: merged.count,
    })
}

async fn merge(
    pool: &AnyPool,
    chosen: &[SegmentRow],
    now: UnixSeconds,
) -> Result<NewSegment, PublishError> {
    let mut parts = Vec::with_capacity(chosen.len());
    for row in chosen {
        let bytes = segments::find_bytes(pool, &row.sha256).await?;
        parts.push((row.clone(), bytes.ok_or(PublishError::SegmentLost)?));
    }
    // Sorting millions of entries would hold up every request on this thread.
    let merged = tokio::task::spawn_blocking(move || merge_segments(parts, now));
    Ok(merged.await.map_err(|_| PublishError::MergeDied)??)
}

/// All or nothing: no head ever lists a segment and its parts, or neither.
async fn store_merged(
    pool: &AnyPool,
    fence: u64,
    parts: &[SegmentRow],
    merged: &NewSegment,
    now: UnixSeconds,
) -> Result<(), PublishError> {
    let mut tx = store::begin(pool).await?;
    lease::confirm(&mut tx, fence)
        .await?
        .ok_or(PublishError::Fenced)?;
    for part in parts {
        segments::retire(&mut tx, &part.sha256, now)
            .await?
            .ok_or(PublishError::SegmentLost)?;
    }
    fault::cross(Gap::PartsRetired);
    segments::insert(&mut tx, merged).await?;
    fault::cross(Gap::MergeSaved);
    store::commit(tx).await?;
    fault::cross(Gap::MergeCommitted);
    Ok(())
}
