//! A sealed part of the list, looked up where it lies: its names are never unpacked. Immutable, named
//! by its SHA-256. A list asks a filter before it searches one ([`searchable`]): to make that reads every
//! name once, when a list takes the segment in, and in one stretch; the largest that merging makes, of 1.9
//! million, takes tens of milliseconds, which the 2 ms at most for a new head do not include.
//!
//! Format 2, all numbers little-endian: magic `PRS2`; `u32` number of names revoked for good; `u32`
//! number of names with a cut-off; `u32` bytes of each time; `u64` earliest time; the names revoked
//! for good ([`name_set`]); the names with a cut-off; for each of these how many seconds after the
//! earliest its time is; eight zero bytes. The same entries have the same bytes.
//!
//! A name is the first 56 bits of a fingerprint, at every size, so segments merge from their bytes
//! alone. A live token's three names meet one of ten million by chance with probability
//! 3·10⁷ / 2⁵⁶ = 4·10⁻¹⁰.
//!
//! An entry takes 5.3 bytes at a million (4.7 are the least that any coding of 56 bits can do) and 5.1
//! at ten millions; a cut-off one to two more for its time. Measured by `cargo xtask bench list` on
//! 2026-11-28, in Wasm in workerd, a hit and a miss in a million entries: 239 and 196 ns, ready after
//! 0.18 ms. Beside it, on a machine where differences below 2× are noise:
//!
//! - Elias–Fano (`sucds`): 4.9 bytes, 155 and 190 ns (in two other runs it took 1.1 to 2.3 times as long as
//!   ours), ready after 7 ms. It takes less than ours at ten millions (476 and 399 ns against 1,079 and
//!   1,418): there ours is three segments, since Workers KV takes 25 MiB, and it one piece, which would
//!   have to be three as well.
//! - Golomb–Rice in buckets: 4.8 bytes, 196 and 182 ns.
//! - Whole fingerprints of 8 bytes, sorted: 332 and 297 ns.
//! - A binary fuse filter of 16 bits (`xorf`): 2.3 bytes, 17 and 12 ns, and one good token in 65,536
//!   refused at each look-up, which is what this list promises not to do; nor has it room for times.
//! - `jti`s as text in a `HashSet`: 23 bytes and 90 MiB in memory, 589 and 75 ns, ready after 0.74 s.
//!
//! So 0.4 bytes an entry are paid for an exact answer where the bytes lie, ready at once. The whole table
//! is `tests/bench/LIST.md`.

mod format_1;
mod name_filter;
mod name_set;
mod packed;
mod searchable;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use crate::error::ListError;
use crate::revocation::content_address;
use crate::revocation::entry::{Before, Entry, Fingerprint};
use crate::time::UnixSeconds;
use name_set::{NAME_BITS, NameSet, count_of};
pub(super) use searchable::SearchableSegment;

/// The most segments that a head names.
pub const MAX_SEGMENTS: usize = 48;

/// The longest segment: the longest value that Workers KV takes.
pub const MAX_SEGMENT_BYTES: usize = 25 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"PRS2";
const MAGIC_OF_FORMAT_1: [u8; 4] = *b"PRS1";
const HEADER_BYTES: usize = 24;

/// A segment's bytes, their shape checked.
#[derive(Clone, Debug)]
pub struct Segment {
    bytes: Vec<u8>,
    names: NameSet,
    cut_offs: NameSet,
    times: Times,
}

/// Where the times of the cut-offs lie, in the order of their names.
#[derive(Clone, Copy, Debug)]
struct Times {
    begin: usize,
    width: u32,
    earliest: u64,
}

impl Segment {
    /// Encodes entries: the same set gives the same bytes, whatever its order. Entries of one name
    /// combine by max.
    #[must_use]
    pub fn build(entries: &[Entry]) -> Vec<u8> {
        let mut latest: Vec<(u64, Before)> = entries
            .iter()
            .map(|entry| (name_of(entry.fingerprint), entry.before))
            .collect();
        latest.sort_unstable_by_key(|(name, before)| (*name, Reverse(*before)));
        latest.dedup_by_key(|(name, _)| *name);
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

    /// Reads a segment. Looks at the shape and at the indexes, not at the names: that the content
    /// is what the origin built, the hash in the signed head says.
    ///
    /// One of format 1, which an older origin sealed, is encoded anew in memory.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ListError> {
        if bytes.len() > MAX_SEGMENT_BYTES {
            return Err(ListError::SegmentTooLong);
        }
        let bytes = if bytes.starts_with(&MAGIC_OF_FORMAT_1) {
            format_1::encode_anew(&bytes).ok_or(ListError::SegmentMalformed)?
        } else {
            bytes
        };
        Self::lay_out(bytes)
            .filter(Self::has_sound_indexes)
            .ok_or(ListError::SegmentMalformed)
    }

    fn lay_out(bytes: Vec<u8>) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let (magic, fields) = header.split_first_chunk::<4>()?;
        let (names, fields) = fields.split_first_chunk::<4>()?;
        let (cut_offs, fields) = fields.split_first_chunk::<4>()?;
        let (time_bytes, earliest) = fields.split_first_chunk::<4>()?;
        let time_bytes = u32::from_le_bytes(*time_bytes);
        if *magic != MAGIC || time_bytes > u64::BITS / 8 {
            return None;
        }
        let end = bytes.len().checked_sub(packed::PADDING_BYTES)?;
        let cut_off_count = u32::from_le_bytes(*cut_offs);
        let (names, begin) = NameSet::lay_out(u32::from_le_bytes(*names), HEADER_BYTES, end)?;
        let (cut_offs, begin) = NameSet::lay_out(cut_off_count, begin, end)?;
        let times = Times {
            begin,
            width: time_bytes * 8,
            earliest: u64::from_le_bytes(*earliest.first_chunk()?),
        };
        let time_bytes = packed::encoded_len(cut_off_count, times.width);
        (name_set::end_within(begin, time_bytes, end)? == end).then_some(Self {
            bytes,
            names,
            cut_offs,
            times,
        })
    }

    fn has_sound_indexes(&self) -> bool {
        self.names.has_sound_index(&self.bytes) && self.cut_offs.has_sound_index(&self.bytes)
    }

    /// The content address of encoded bytes.
    #[must_use]
    pub fn sha256_of(bytes: &[u8]) -> String {
        content_address::of(bytes)
    }

    /// How many names are listed here.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.names.count() + self.cut_offs.count()) as u64
    }

    /// The `before` of a name, if it has an entry here.
    #[must_use]
    #[inline]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        let name = name_of(fingerprint);
        if self.names.find(&self.bytes, name).is_some() {
            return Some(Before::Always);
        }
        let position = self.cut_offs.find(&self.bytes, name)?;
        Some(self.cut_off_at(position))
    }

    /// Every entry: the names revoked for good, then the cut-offs. Of a fingerprint the last 8
    /// bits, which a segment does not keep, are zero.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let names = self.names.names(&self.bytes);
        let names = names.map(|name| (name, Before::Always));
        let cut_offs = self.cut_offs.names(&self.bytes).enumerate();
        let cut_offs = cut_offs.map(|(position, name)| (name, self.cut_off_at(position)));
        names.chain(cut_offs).map(|(name, before)| Entry {
            fingerprint: Fingerprint(name << (u64::BITS - NAME_BITS)),
            before,
        })
    }

    fn cut_off_at(&self, position: usize) -> Before {
        let Times {
            begin,
            width,
            earliest,
        } = self.times;
        let later_by = packed::get(&self.bytes, begin, width, position);
        Before::Time(UnixSeconds::from_secs(earliest.saturating_add(later_by)))
    }
}

/// What a segment keeps of a fingerprint: its first 56 bits.
fn name_of(fingerprint: Fingerprint) -> u64 {
    fingerprint.0 >> (u64::BITS - NAME_BITS)
}

/// Encodes names revoked for good, and names and times of cut-offs, both ascending.
fn encode(names: &[u64], cut_offs: &[(u64, u64)]) -> Vec<u8> {
    let cut_off_names: Vec<u64> = cut_offs.iter().map(|(name, _)| *name).collect();
    let times = || cut_offs.iter().map(|(_, secs)| *secs);
    let earliest = times().min().unwrap_or(0);
    let span = times().max().map_or(0, |latest| latest - earliest);
    let time_bytes = (u64::BITS - span.leading_zeros()).div_ceil(8);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&count_of(names).to_le_bytes());
    bytes.extend_from_slice(&count_of(&cut_off_names).to_le_bytes());
    bytes.extend_from_slice(&time_bytes.to_le_bytes());
    bytes.extend_from_slice(&earliest.to_le_bytes());
    NameSet::append(&mut bytes, names);
    NameSet::append(&mut bytes, &cut_off_names);
    packed::append(
        &mut bytes,
        time_bytes * 8,
        times().map(|secs| secs - earliest),
    );
    bytes.extend_from_slice(&[0; packed::PADDING_BYTES]);
    bytes
}
