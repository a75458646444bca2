//! One name in many segments at once. In a large list each step of a search waits for memory, and what
//! one segment answers does not depend on another: so each step is made in all of them before the next
//! one, and their waits pass together.

use crate::revocation::checked_segment::CheckedSegment;
use crate::revocation::entry::{Before, Fingerprint};
use crate::revocation::segment::Search;

/// Segments, of two sets each. More were no faster: in Wasm in ten millions of entries four side by side
/// take 0.6 of the time that one after another do, eight 0.6 and twelve 0.75.
const SIDE_BY_SIDE: usize = 4;

/// The latest `before` that any of `segments` has for a name.
pub(super) fn find_latest(segments: &[CheckedSegment], fingerprint: Fingerprint) -> Option<Before> {
    let groups = segments.chunks(SIDE_BY_SIDE);
    groups
        .filter_map(|group| find_in_group(group, fingerprint))
        .max()
}

fn find_in_group(group: &[CheckedSegment], fingerprint: Fingerprint) -> Option<Before> {
    if let [only] = group {
        return only.segment().find(fingerprint);
    }
    let mut searches = [Search::default(); SIDE_BY_SIDE];
    for (search, checked) in searches.iter_mut().zip(group) {
        *search = checked.segment().begin(fingerprint);
    }
    for (search, checked) in searches.iter_mut().zip(group) {
        checked.segment().halve(search);
    }
    let found = searches
        .into_iter()
        .zip(group)
        .filter_map(|(search, checked)| checked.segment().end(search));
    found.max()
}
