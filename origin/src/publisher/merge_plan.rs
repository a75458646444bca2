//! Which segments become one, and that one: pure, of what the database holds. Four of one level
//! become one of the next, so an entry is rewritten once a level, and a list has few segments at any
//! size: at most 10 on the way to a million entries, each written 3.9 times, and 16 and 4.9 times to
//! ten millions. (With sixteen for one it would be 22 and 34, written 1.9 and 2.9 times: cheaper to
//! publish, dearer for every request at every edge.)

use shared::{Entry, ListError, MAX_SEGMENT_BYTES, MAX_SEGMENTS, Segment, UnixSeconds};

use super::next_list::build_segment;
use crate::store::segments::{NewSegment, SegmentRow};

/// How many segments of one level make one of the next.
const FAN_OUT: usize = 4;
/// Room for the tails that are sealed while a merge is being made.
const ROOM_TO_SEAL: usize = 8;
/// The most bytes that an entry takes in a segment this large: a cut-off with its time.
const MOST_BYTES_OF_AN_ENTRY: u64 = 14;
const MOST_ENTRIES: u64 = MAX_SEGMENT_BYTES as u64 / MOST_BYTES_OF_AN_ENTRY;

/// The oldest segments of a level that is full; where none is but the list is about to be, those of
/// the lowest level that has two. `live`: the oldest first.
#[must_use]
pub fn choose_merge(live: &[SegmentRow]) -> Option<Vec<SegmentRow>> {
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

/// The segment that says what `parts`, rows and their bytes, say.
pub fn merge_segments(
    parts: Vec<(SegmentRow, Vec<u8>)>,
    now: UnixSeconds,
) -> Result<NewSegment, ListError> {
    let level = parts.iter().map(|(row, _)| row.level + 1).max();
    let retain_until = parts.iter().map(|(row, _)| row.retain_until).max();
    let mut entries: Vec<Entry> = Vec::new();
    for (_, bytes) in parts {
        entries.extend(Segment::parse(bytes)?.entries());
    }
    build_segment(
        &entries,
        level.unwrap_or(0),
        retain_until.unwrap_or(now),
        now,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use shared::{Before, Fingerprint, MAX_TAIL_BYTES};

    use super::*;

    const ENTRIES_OF_A_TAIL: u64 = MAX_TAIL_BYTES as u64 / 9;

    fn segment(level: u64, count: u64) -> SegmentRow {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        SegmentRow {
            sha256: NEXT.fetch_add(1, Ordering::Relaxed).to_string(),
            level,
            count,
            retain_until: UnixSeconds::from_secs(1),
            delivered_at: None,
        }
    }

    fn segments(levels: &[(u64, usize)]) -> Vec<SegmentRow> {
        levels
            .iter()
            .flat_map(|(level, n)| (0..*n).map(|_| segment(*level, 1)))
            .collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn as_f64(count: u64) -> f64 {
        count as f64
    }

    fn chosen(levels: &[(u64, usize)]) -> Option<(u64, usize)> {
        choose_merge(&segments(levels)).map(|chosen| (chosen[0].level, chosen.len()))
    }

    #[test]
    fn leaves_levels_alone_that_are_not_full() {
        assert_eq!(chosen(&[(0, 3), (1, 3)]), None);
    }

    #[test]
    fn merges_the_lowest_full_level() {
        assert_eq!(chosen(&[(0, 3), (1, 5), (2, 4)]), Some((1, 4)));
    }

    #[test]
    fn makes_no_segment_that_edges_would_refuse() {
        let four_of = |count| {
            let mut segments = segments(&[(0, 4)]);
            for segment in &mut segments {
                segment.count = count;
            }
            choose_merge(&segments).map(|chosen| chosen.len())
        };
        assert_eq!(four_of(MOST_ENTRIES / 3), Some(3));
        assert_eq!(four_of(MOST_ENTRIES), None);
    }

    #[test]
    fn the_largest_segment_is_not_too_long() {
        // The costliest entries: cut-offs whose times are as far apart as can be.
        let entry = |n: u64| Entry {
            fingerprint: Fingerprint(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            before: Before::Time(UnixSeconds::from_secs(if n == 0 { 0 } else { u64::MAX })),
        };
        let entries: Vec<_> = (0..MOST_ENTRIES).map(entry).collect();
        assert!(Segment::parse(Segment::build(&entries)).is_ok());
    }

    #[test]
    fn makes_room_before_the_list_is_full() {
        let levels: Vec<_> = (0..13).map(|level| (level, 3)).collect();
        assert_eq!(chosen(&levels), None);
        let levels: Vec<_> = (0..14).map(|level| (level, 3)).collect();
        assert_eq!(chosen(&levels), Some((0, 3)));
        let levels: Vec<_> = [(0, 1), (1, 2)]
            .into_iter()
            .chain((2..15).map(|level| (level, 3)))
            .collect();
        assert_eq!(chosen(&levels), Some((1, 2)));
    }

    /// What a list of full tails comes to: the most segments that it ever had, and how often an
    /// entry was written.
    fn grow_to(entries: u64) -> (usize, f64) {
        let (mut live, mut most, mut rewritten) = (Vec::new(), 0, 0);
        for _ in 0..entries / ENTRIES_OF_A_TAIL {
            live.push(segment(0, ENTRIES_OF_A_TAIL));
            while let Some(chosen) = choose_merge(&live) {
                let count = chosen.iter().map(|part| part.count).sum();
                live.retain(|part| !chosen.contains(part));
                live.push(segment(chosen[0].level + 1, count));
                rewritten += count;
            }
            most = most.max(live.len());
        }
        (most, 1.0 + as_f64(rewritten) / as_f64(entries))
    }

    #[test]
    fn a_list_has_few_segments_at_any_size_and_writes_an_entry_a_few_times() {
        for (entries, few, a_few_times) in [(1_000_000, 10, 4.0), (10_000_000, 16, 5.0)] {
            let (segments, times) = grow_to(entries);
            println!(
                "{entries} entries: at most {segments} segments, each written {times:.1} times"
            );
            assert!(segments <= few && times <= a_few_times);
        }
    }
}
