//! A sealed, sorted part of the list, looked up where it lies: no pass over its entries before the
//! first answer. Immutable, named by its SHA-256.
//!
//! Format 1, all numbers little-endian: magic `PRS1`; `u32` prefix bits `b`; `u64` number of names
//! revoked for good, `u64` number with a cut-off; the index, `2^b + 1` of `u32`, where the names of
//! each prefix begin; the names revoked for good, `u64` ascending; the cut-offs, `u64` name and
//! `u64` seconds, ascending by name.
//!
//! Eight bytes and a quarter an entry at the chosen 16 names a prefix.

use std::collections::BTreeMap;

use crate::error::ListError;
use crate::revocation::content_address;
use crate::revocation::entry::{Before, Entry, Fingerprint};
use crate::time::UnixSeconds;

/// The most segments that a head names.
pub const MAX_SEGMENTS: usize = 48;

/// The longest segment: the longest value that Workers KV takes.
pub const MAX_SEGMENT_BYTES: usize = 25 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"PRS1";
const HEADER_BYTES: usize = 24;
const NAME_BYTES: usize = 8;
const CUT_OFF_BYTES: usize = 16;
const INDEX_BYTES: usize = 4;
/// How many names share a prefix, on average, as a power of two.
const NAMES_PER_PREFIX_LOG2: u32 = 4;
const MAX_PREFIX_BITS: u32 = 24;

/// A segment's bytes, their shape checked.
#[derive(Clone, Debug)]
pub struct Segment {
    bytes: Vec<u8>,
    prefix_bits: u32,
    names: usize,
    cut_offs: usize,
}

impl Segment {
    /// Encodes entries: the same set gives the same bytes, whatever its order. Entries of one name
    /// combine by max.
    #[must_use]
    pub fn build(entries: &[Entry]) -> Vec<u8> {
        let mut latest = BTreeMap::new();
        for entry in entries {
            let before = latest.entry(entry.fingerprint.0).or_insert(entry.before);
            *before = entry.before.max(*before);
        }
        let mut names = Vec::new();
        let mut cut_offs = Vec::new();
        for (name, before) in latest {
            match before {
                Before::Always => names.push(name),
                Before::Time(time) => cut_offs.push((name, time.as_secs())),
            }
        }
        encode(&names, &cut_offs)
    }

    /// Reads a segment. Looks at the shape and at the index, not at the names: that the content is
    /// what the origin built, the hash in the signed head says.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ListError> {
        if bytes.len() > MAX_SEGMENT_BYTES {
            return Err(ListError::SegmentTooLong);
        }
        let segment = Self::parse_header(bytes).ok_or(ListError::SegmentMalformed)?;
        if segment.has_sound_index() {
            Ok(segment)
        } else {
            Err(ListError::SegmentMalformed)
        }
    }

    fn parse_header(bytes: Vec<u8>) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (prefix_bits, rest) = rest.split_first_chunk::<4>()?;
        let (names, rest) = rest.split_first_chunk::<8>()?;
        let (cut_offs, rest) = rest.split_first_chunk::<8>()?;
        let prefix_bits = u32::from_le_bytes(*prefix_bits);
        let names = usize::try_from(u64::from_le_bytes(*names)).ok()?;
        let cut_offs = usize::try_from(u64::from_le_bytes(*cut_offs)).ok()?;
        if *magic != MAGIC || prefix_bits > MAX_PREFIX_BITS {
            return None;
        }
        let index_bytes = ((1_usize << prefix_bits) + 1) * INDEX_BYTES;
        let body_bytes = index_bytes
            .checked_add(names.checked_mul(NAME_BYTES)?)?
            .checked_add(cut_offs.checked_mul(CUT_OFF_BYTES)?)?;
        (rest.len() == body_bytes).then_some(Self {
            bytes,
            prefix_bits,
            names,
            cut_offs,
        })
    }

    /// Whether the index begins at 0, never falls, and ends at the number of names.
    fn has_sound_index(&self) -> bool {
        let prefixes = 1_usize << self.prefix_bits;
        let starts = (0..=prefixes).map(|prefix| self.start_of(prefix));
        self.start_of(0) == 0 && self.start_of(prefixes) == self.names && starts.is_sorted()
    }

    /// The content address of encoded bytes.
    #[must_use]
    pub fn sha256_of(bytes: &[u8]) -> String {
        content_address::of(bytes)
    }

    /// How many names are listed here.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.names + self.cut_offs) as u64
    }

    /// The `before` of a name, if it has an entry here.
    #[must_use]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        let prefix = prefix_of(fingerprint.0, self.prefix_bits);
        let names = self.start_of(prefix)..self.start_of(prefix + 1);
        if binary_search(names, fingerprint.0, |position| self.name_at(position)).is_some() {
            return Some(Before::Always);
        }
        let name_at = |position| self.cut_off_at(position).0;
        let position = binary_search(0..self.cut_offs, fingerprint.0, name_at)?;
        Some(Before::Time(UnixSeconds::from_secs(
            self.cut_off_at(position).1,
        )))
    }

    /// Every entry: the names revoked for good, then the cut-offs.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let names = (0..self.names).map(|position| Entry {
            fingerprint: Fingerprint(self.name_at(position)),
            before: Before::Always,
        });
        let cut_offs = (0..self.cut_offs).map(|position| {
            let (name, secs) = self.cut_off_at(position);
            let before = Before::Time(UnixSeconds::from_secs(secs));
            Entry {
                fingerprint: Fingerprint(name),
                before,
            }
        });
        names.chain(cut_offs)
    }

    fn start_of(&self, prefix: usize) -> usize {
        u32::from_le_bytes(self.chunk_at(HEADER_BYTES + prefix * INDEX_BYTES)) as usize
    }

    fn name_at(&self, position: usize) -> u64 {
        u64::from_le_bytes(self.chunk_at(self.names_begin() + position * NAME_BYTES))
    }

    fn cut_off_at(&self, position: usize) -> (u64, u64) {
        let begin = self.names_begin() + self.names * NAME_BYTES + position * CUT_OFF_BYTES;
        (
            u64::from_le_bytes(self.chunk_at(begin)),
            u64::from_le_bytes(self.chunk_at(begin + NAME_BYTES)),
        )
    }

    fn names_begin(&self) -> usize {
        HEADER_BYTES + ((1 << self.prefix_bits) + 1) * INDEX_BYTES
    }

    fn chunk_at<const BYTES: usize>(&self, begin: usize) -> [u8; BYTES] {
        // Unwrap safety: `parse` compared the length with what the header counts, and every
        // position comes from those counts or from the index, which ends at them.
        *self.bytes[begin..]
            .first_chunk()
            .expect("within the checked length")
    }
}

fn encode(names: &[u64], cut_offs: &[(u64, u64)]) -> Vec<u8> {
    let prefix_bits = prefix_bits_for(names.len());
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&prefix_bits.to_le_bytes());
    bytes.extend_from_slice(&(names.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(cut_offs.len() as u64).to_le_bytes());
    for prefix in 0..=(1_usize << prefix_bits) {
        let start = names.partition_point(|name| prefix_of(*name, prefix_bits) < prefix);
        // A segment is at most 25 MiB, so its positions fit; a longer one is refused by `parse`.
        bytes.extend_from_slice(&u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
    }
    for name in names {
        bytes.extend_from_slice(&name.to_le_bytes());
    }
    for (name, secs) in cut_offs {
        bytes.extend_from_slice(&name.to_le_bytes());
        bytes.extend_from_slice(&secs.to_le_bytes());
    }
    bytes
}

fn prefix_bits_for(names: usize) -> u32 {
    let log2 = names.max(1).ilog2();
    log2.saturating_sub(NAMES_PER_PREFIX_LOG2)
        .min(MAX_PREFIX_BITS)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 24 bits are left after the shift"
)]
fn prefix_of(name: u64, prefix_bits: u32) -> usize {
    name.checked_shr(u64::BITS - prefix_bits).unwrap_or(0) as usize
}

fn binary_search(
    positions: std::ops::Range<usize>,
    wanted: u64,
    name_at: impl Fn(usize) -> u64,
) -> Option<usize> {
    let (mut low, mut high) = (positions.start, positions.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match name_at(middle).cmp(&wanted) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(count: u64) -> Vec<Entry> {
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..count)
            .map(|n| {
                let time = UnixSeconds::from_secs(1_000 + n);
                let before = if n % 7 == 0 {
                    Before::Time(time)
                } else {
                    Before::Always
                };
                Entry {
                    fingerprint: Fingerprint(spread(n)),
                    before,
                }
            })
            .collect()
    }

    #[test]
    fn finds_every_entry_and_nothing_else_at_every_size() {
        for count in [0, 1, 2, 15, 16, 17, 1_000, 20_000] {
            let entries = mixed(count);
            let segment = Segment::parse(Segment::build(&entries)).unwrap();
            assert_eq!(segment.count(), count);
            for entry in &entries {
                assert_eq!(
                    segment.find(entry.fingerprint),
                    Some(entry.before),
                    "of {count}"
                );
                assert_eq!(segment.find(Fingerprint(entry.fingerprint.0 ^ 1)), None);
            }
            for edge in [0, 1, u64::MAX] {
                let listed = entries.iter().any(|entry| entry.fingerprint.0 == edge);
                assert_eq!(segment.find(Fingerprint(edge)).is_some(), listed);
            }
        }
    }

    #[test]
    fn the_same_set_has_the_same_bytes_in_any_order() {
        let mut entries = mixed(100);
        let bytes = Segment::build(&entries);
        entries.reverse();
        entries.push(entries[3]);
        assert_eq!(Segment::build(&entries), bytes);
        let read: Vec<_> = Segment::parse(bytes.clone()).unwrap().entries().collect();
        assert_eq!(Segment::build(&read), bytes);
    }

    #[test]
    fn refuses_every_truncation_and_bad_counts() {
        let bytes = Segment::build(&mixed(40));
        for cut in 0..bytes.len() {
            assert_eq!(
                Segment::parse(bytes[..cut].to_vec()).unwrap_err(),
                ListError::SegmentMalformed
            );
        }
        for (position, value) in [
            (0, b'X'),
            (4, 25),
            (4, 9),
            (12, 0xff),
            (15, 0xff),
            (23, 0xff),
            (24, 1),
        ] {
            let mut bad = bytes.clone();
            bad[position] = value;
            assert_eq!(
                Segment::parse(bad).unwrap_err(),
                ListError::SegmentMalformed,
                "{position}"
            );
        }
    }
}
