//! Merges small segments into larger ones, beside publishing and not in its way: the next head
//! simply finds other segments in the database. Past sixteen of one level they become one of the
//! next, so an entry is rewritten once a level, and a list has few segments at any size.

use shared::{Entry, ListError, MAX_SEGMENT_BYTES, MAX_SEGMENTS, Segment, UnixSeconds};
use sqlx::AnyPool;

use super::next_list::{CLOCK_ERROR_SECS, build_segment};
use super::publish_once::PublishError;
use crate::fault::{self, Gap};
use crate::store::segments::{self, NewSegment, SegmentRow};
use crate::store::{self, lease};

/// How many segments of one level make one of the next.
const FAN_OUT: usize = 16;
/// Room for the tails that are sealed while a merge is being made.
const ROOM_TO_SEAL: usize = 8;
/// A segment of this many entries, at the most bytes that an entry takes, is as long as edges accept.
const MOST_ENTRIES: u64 = MAX_SEGMENT_BYTES as u64 / 20;

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
    let Some(chosen) = choose(&live) else {
        return Ok(Compaction::NothingToDo);
    };
    let merged = merge(pool, &chosen, now).await?;
    store_merged(pool, fence, &chosen, &merged, now).await?;
    Ok(Compaction::Merged {
        segments: chosen.len(),
        entries: merged.count,
    })
}

/// The oldest segments of a level that is full; where none is but the list is about to be, all of
/// the lowest level that has two.
fn choose(live: &[SegmentRow]) -> Option<Vec<SegmentRow>> {
    let is_crowded = live.len() + ROOM_TO_SEAL > MAX_SEGMENTS;
    let fewest = if is_crowded { 2 } else { FAN_OUT };
    let mut levels: Vec<u64> = live.iter().map(|segment| segment.level).collect();
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().find_map(|level| {
        let of_level = live.iter().filter(|segment| segment.level == level);
        let is_full = of_level.clone().count() >= fewest;
        let chosen: Vec<SegmentRow> = that_fit_together(of_level).cloned().collect();
        (is_full && chosen.len() > 1).then_some(chosen)
    })
}

/// The first of these that make a segment which is not too long.
fn that_fit_together<'s>(
    segments: impl Iterator<Item = &'s SegmentRow>,
) -> impl Iterator<Item = &'s SegmentRow> {
    let mut entries = 0;
    segments.take(FAN_OUT).take_while(move |segment| {
        entries += segment.count;
        entries <= MOST_ENTRIES
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
        parts.push(bytes.ok_or(PublishError::SegmentLost)?);
    }
    let level = chosen.iter().map(|row| row.level + 1).max().unwrap_or(0);
    let retain_until = chosen
        .iter()
        .map(|row| row.retain_until)
        .max()
        .unwrap_or(now);
    // Sorting millions of entries would hold up every request on this thread.
    let merged = tokio::task::spawn_blocking(move || {
        let entries = read_entries(parts)?;
        build_segment(&entries, level, retain_until, now)
    });
    Ok(merged.await.map_err(|_| PublishError::MergeDied)??)
}

fn read_entries(parts: Vec<Vec<u8>>) -> Result<Vec<Entry>, ListError> {
    let mut entries = Vec::new();
    for bytes in parts {
        entries.extend(Segment::parse(bytes)?.entries());
    }
    Ok(entries)
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
    tx.commit().await?;
    fault::cross(Gap::MergeCommitted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(levels: &[(u64, usize)]) -> Vec<SegmentRow> {
        let segment = |level| SegmentRow {
            sha256: String::new(),
            level,
            count: 1,
            retain_until: UnixSeconds::from_secs(1),
            delivered_at: None,
        };
        levels
            .iter()
            .flat_map(|(level, n)| std::iter::repeat_n(segment(*level), *n))
            .collect()
    }

    fn chosen(levels: &[(u64, usize)]) -> Option<(u64, usize)> {
        choose(&segments(levels)).map(|chosen| (chosen[0].level, chosen.len()))
    }

    #[test]
    fn leaves_levels_alone_that_are_not_full() {
        assert_eq!(chosen(&[(0, 15), (1, 15)]), None);
    }

    #[test]
    fn merges_the_lowest_full_level() {
        assert_eq!(chosen(&[(0, 3), (1, 17), (2, 16)]), Some((1, 16)));
    }

    #[test]
    fn makes_no_segment_that_edges_would_refuse() {
        let sixteen_of = |count| {
            let mut segments = segments(&[(0, 16)]);
            for segment in &mut segments {
                segment.count = count;
            }
            choose(&segments).map(|chosen| chosen.len())
        };
        assert_eq!(sixteen_of(MOST_ENTRIES / 3), Some(3));
        assert_eq!(sixteen_of(MOST_ENTRIES), None);
    }

    #[test]
    fn makes_room_before_the_list_is_full() {
        assert_eq!(chosen(&[(0, 12), (1, 15), (2, 15)]), Some((0, 12)));
        assert_eq!(chosen(&[(0, 1), (1, 12), (2, 15), (3, 15)]), Some((1, 12)));
    }
}
