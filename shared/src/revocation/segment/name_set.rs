//! Sorted names of 56 bits, looked up where they lie. An index says where the names of each prefix
//! begin, so of a name only the bits below its prefix are kept.
//!
//! The number of names alone says how long a prefix is: [`NAMES_PER_PREFIX_LOG2`] makes it 8 to 16
//! names a prefix. In memory: `2^b + 1` of `u32`, then the low bits, packed.

use super::packed;

/// The bits of a name: so many that a live token meets none by chance (see the module above), and
/// few enough that the low bits are read by one load.
pub(super) const NAME_BITS: u32 = 56;
const _: () = assert!(NAME_BITS <= packed::MAX_WIDTH);

const NAMES_PER_PREFIX_LOG2: u32 = 3;
const INDEX_BYTES: usize = 4;

/// Where a set lies in the bytes of its segment. Whoever asks passes the same bytes again.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameSet {
    count: usize,
    prefix_bits: u32,
    index_begins: usize,
    low_bits_begin: usize,
}

impl NameSet {
    /// The set of `count` names that begins at `begin`, and where it ends; `None` where it would
    /// not end within `len`. Arithmetic alone: `count` may be a lie.
    pub(super) fn lay_out(count: u32, begin: usize, len: usize) -> Option<(Self, usize)> {
        let prefix_bits = prefix_bits_of(count);
        let index_bytes = ((1_u64 << prefix_bits) + 1) * INDEX_BYTES as u64;
        let low_bits_begin = end_within(begin, index_bytes, len)?;
        let low_bytes = packed::encoded_len(count, NAME_BITS - prefix_bits);
        let set = Self {
            count: usize::try_from(count).ok()?,
            prefix_bits,
            index_begins: begin,
            low_bits_begin,
        };
        Some((set, end_within(low_bits_begin, low_bytes, len)?))
    }

    /// Appends a set of names, ascending.
    pub(super) fn append(bytes: &mut Vec<u8>, names: &[u64]) {
        let count = count_of(names);
        let prefix_bits = prefix_bits_of(count);
        let low_bits = NAME_BITS - prefix_bits;
        for prefix in 0..=(1_u64 << prefix_bits) {
            let start = names.partition_point(|name| name >> low_bits < prefix);
            bytes.extend_from_slice(&u32::try_from(start).unwrap_or(count).to_le_bytes());
        }
        let below_prefix = names.iter().map(|name| name & ((1 << low_bits) - 1));
        packed::append(bytes, low_bits, below_prefix);
    }

    /// Whether the index begins at 0, never falls, and ends at the number of names: then no
    /// position that it leads to is out of bounds.
    pub(super) fn has_sound_index(&self, bytes: &[u8]) -> bool {
        let prefixes = 1_usize << self.prefix_bits;
        let starts = (0..=prefixes).map(|prefix| self.start_of(bytes, prefix));
        self.start_of(bytes, 0) == 0
            && self.start_of(bytes, prefixes) == self.count
            && starts.is_sorted()
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The position of a name.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a prefix has at most 29 bits"
    )]
    pub(super) fn find(&self, bytes: &[u8], name: u64) -> Option<usize> {
        let low_bits = self.low_bits();
        let prefix = (name >> low_bits) as usize;
        let wanted = name & ((1 << low_bits) - 1);
        let mut first = self.start_of(bytes, prefix);
        let mut left = self.start_of(bytes, prefix + 1) - first;
        while left > 1 {
            let half = left / 2;
            let middle = first + half;
            let is_before = self.low_bits_at(bytes, middle) <= wanted;
            // A coin toss: a jump here would be foretold wrongly every second time.
            first = std::hint::select_unpredictable(is_before, middle, first);
            left -= half;
        }
        (left == 1 && self.low_bits_at(bytes, first) == wanted).then_some(first)
    }

    /// Every name, ascending.
    pub(super) fn names<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = u64> + use<'b> {
        let set = *self;
        (0..1_usize << set.prefix_bits).flat_map(move |prefix| {
            let high = (prefix as u64) << set.low_bits();
            let positions = set.start_of(bytes, prefix)..set.start_of(bytes, prefix + 1);
            positions.map(move |position| high | set.low_bits_at(bytes, position))
        })
    }

    fn low_bits(&self) -> u32 {
        NAME_BITS - self.prefix_bits
    }

    #[inline]
    fn low_bits_at(&self, bytes: &[u8], position: usize) -> u64 {
        packed::get(bytes, self.low_bits_begin, self.low_bits(), position)
    }

    #[inline]
    fn start_of(&self, bytes: &[u8], prefix: usize) -> usize {
        let place = self.index_begins + prefix * INDEX_BYTES;
        // Unwrap safety: `lay_out` saw that the index ends within the bytes.
        let chunk = bytes[place..].first_chunk().expect("within the index");
        u32::from_le_bytes(*chunk) as usize
    }
}

/// Where `more` bytes from `begin` on end, if that is not past `len`.
pub(super) fn end_within(begin: usize, more: u64, len: usize) -> Option<usize> {
    let end = begin.checked_add(usize::try_from(more).ok()?)?;
    (end <= len).then_some(end)
}

/// How many names, as a header says it. Names that an `u32` cannot count make a segment that is far
/// longer than any reader takes.
pub(super) fn count_of(names: &[u64]) -> u32 {
    u32::try_from(names.len()).unwrap_or(u32::MAX)
}

fn prefix_bits_of(count: u32) -> u32 {
    count.max(1).ilog2().saturating_sub(NAMES_PER_PREFIX_LOG2)
}
