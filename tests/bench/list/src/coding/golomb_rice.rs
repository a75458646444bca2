//! Golomb–Rice: names in buckets by their first bits, in each the differences of their low bits, each
//! in two parts, the upper in unary. An index says at which bit each bucket begins.

use super::{Coding, NAME_BITS};

/// 32 to 63 names a bucket.
const NAMES_PER_BUCKET_LOG2: u32 = 5;
const INDEX_BYTES: usize = size_of::<u32>();
const HEADER_BYTES: usize = size_of::<u32>();
/// A read takes this many bytes from where it begins.
const PADDING_BYTES: usize = size_of::<u64>();

#[derive(Debug)]
pub(crate) struct GolombRice {
    bytes: Vec<u8>,
    bucket_bits: u32,
    rice_bits: u32,
    stream_begins: usize,
}

fn bucket_bits_of(count: u32) -> u32 {
    count.max(1).ilog2().saturating_sub(NAMES_PER_BUCKET_LOG2)
}

/// About `log2` of the mean difference times ln 2, which is the best (Golomb 1966).
fn rice_bits_of(count: u32) -> u32 {
    NAME_BITS - count.max(1).ilog2() - 1
}

impl GolombRice {
    #[inline]
    fn begins_at(&self, bucket: usize) -> usize {
        let place = HEADER_BYTES + bucket * INDEX_BYTES;
        let chunk = self.bytes[place..].first_chunk();
        chunk.map_or(0, |chunk| u32::from_le_bytes(*chunk) as usize)
    }

    /// At least 57 bits of the stream from `bit` on.
    #[inline]
    fn bits_at(&self, bit: usize) -> u64 {
        let chunk = self.bytes[self.stream_begins + bit / 8..].first_chunk();
        chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk)) >> (bit % 8)
    }

    /// The difference that begins at `bit`, and where the next one does.
    #[inline]
    fn difference_at(&self, bit: usize) -> (u64, usize) {
        let mut upper_ends = bit;
        let upper = loop {
            let zeros = self.bits_at(upper_ends).trailing_zeros();
            // Beyond these the load may have shifted in zeros of its own.
            if zeros < u64::BITS - 7 {
                break upper_ends - bit + zeros as usize;
            }
            upper_ends += 32;
        };
        let lower_begins = bit + upper + 1;
        let lower = self.bits_at(lower_begins) & ((1 << self.rice_bits) - 1);
        let difference = (upper as u64) << self.rice_bits | lower;
        (difference, lower_begins + self.rice_bits as usize)
    }
}

impl Coding for GolombRice {
    type Question = u64;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let (bucket_bits, rice_bits) = (bucket_bits_of(count), rice_bits_of(count));
        let low_bits = NAME_BITS - bucket_bits;
        let mut stream = BitWriter::default();
        let mut index = Vec::new();
        let mut names = names
            .iter()
            .map(|name| name >> (u64::BITS - NAME_BITS))
            .peekable();
        for bucket in 0..1_u64 << bucket_bits {
            index.push(stream.bits);
            let mut before = 0;
            while let Some(name) = names.next_if(|name| name >> low_bits == bucket) {
                let low = name & ((1 << low_bits) - 1);
                let difference = low - before;
                stream.push_unary(difference >> rice_bits);
                stream.push(difference & ((1 << rice_bits) - 1), rice_bits);
                before = low;
            }
        }
        index.push(stream.bits);
        let mut bytes = count.to_le_bytes().to_vec();
        bytes.extend(index.iter().flat_map(|bit| bit.to_le_bytes()));
        bytes.extend(stream.bytes);
        bytes.extend([0; PADDING_BYTES]);
        vec![bytes]
    }

    fn open(mut parts: Vec<Vec<u8>>) -> Option<Self> {
        let bytes = parts.pop()?;
        let count = u32::from_le_bytes(*bytes.first_chunk()?);
        let bucket_bits = bucket_bits_of(count);
        let buckets = 1_usize << bucket_bits;
        let coding = Self {
            rice_bits: rice_bits_of(count),
            bucket_bits,
            stream_begins: HEADER_BYTES + (buckets + 1) * INDEX_BYTES,
            bytes,
        };
        let stream = coding.bytes.get(coding.stream_begins..)?;
        let stream_bits = stream.len().checked_sub(PADDING_BYTES)? * 8;
        let begins = (0..=buckets).map(|bucket| coding.begins_at(bucket));
        let is_sound = begins.is_sorted() && coding.begins_at(buckets) <= stream_bits;
        is_sound.then_some(coding)
    }

    fn question(name: u64) -> u64 {
        name >> (u64::BITS - NAME_BITS)
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a bucket's number has at most 27 bits"
    )]
    fn contains(&self, question: &u64) -> bool {
        let low_bits = NAME_BITS - self.bucket_bits;
        let bucket = (question >> low_bits) as usize;
        let wanted = question & ((1 << low_bits) - 1);
        let (mut bit, end) = (self.begins_at(bucket), self.begins_at(bucket + 1));
        let mut low = 0;
        while bit < end {
            let (difference, next) = self.difference_at(bit);
            low += difference;
            if low >= wanted {
                return low == wanted;
            }
            bit = next;
        }
        false
    }
}

/// Bits one after another, the lowest first.
#[derive(Debug, Default)]
struct BitWriter {
    bytes: Vec<u8>,
    bits: u32,
}

impl BitWriter {
    fn push_unary(&mut self, zeros: u64) {
        for _ in 0..zeros {
            self.push(0, 1);
        }
        self.push(1, 1);
    }

    fn push(&mut self, number: u64, width: u32) {
        for bit in 0..width {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(number >> bit & 1 == 1) << (self.bits % 8);
            }
            self.bits += 1;
        }
    }
}
