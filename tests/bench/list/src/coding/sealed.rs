//! Ours: the segments of `shared` by themselves, without the filters of a list. As few as Workers KV allows.

use shared::{Before, Entry, Fingerprint, MAX_SEGMENT_BYTES, Segment};

use super::Coding;

/// Of a name revoked for good, index included.
const MOST_BYTES_OF_AN_ENTRY: usize = 6;
const MOST_ENTRIES: usize = MAX_SEGMENT_BYTES / MOST_BYTES_OF_AN_ENTRY;

#[derive(Debug)]
pub(crate) struct Sealed(Vec<Segment>);

impl Coding for Sealed {
    type Question = Fingerprint;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        let parts = names.len().div_ceil(MOST_ENTRIES).max(1);
        // Every so manieth name: the parts are cut by time, and each holds names of all kinds.
        let part = |first: usize| {
            let names = names.iter().skip(first).step_by(parts);
            let entries: Vec<Entry> = names
                .map(|name| Entry {
                    fingerprint: Fingerprint(*name),
                    before: Before::Always,
                })
                .collect();
            Segment::build(&entries)
        };
        (0..parts).map(part).collect()
    }

    fn open(parts: Vec<Vec<u8>>) -> Option<Self> {
        let segments = parts.into_iter().map(Segment::parse);
        segments.collect::<Result<_, _>>().ok().map(Self)
    }

    fn question(name: u64) -> Fingerprint {
        Fingerprint(name)
    }

    #[inline]
    fn contains(&self, question: &Fingerprint) -> bool {
        let found = self.0.iter().map(|segment| segment.find(*question));
        // As the list does it: no part ends the search, since another may say more.
        found.fold(None, Option::max).is_some()
    }
}
