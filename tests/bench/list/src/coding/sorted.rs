//! Whole fingerprints, ascending, and a binary search over all of them.

use super::Coding;

const NAME_BYTES: usize = size_of::<u64>();

#[derive(Debug)]
pub(crate) struct Sorted(Vec<u8>);

impl Sorted {
    fn name_at(&self, position: usize) -> u64 {
        let chunk = self.0[position * NAME_BYTES..].first_chunk();
        chunk.map_or(u64::MAX, |chunk| u64::from_le_bytes(*chunk))
    }
}

impl Coding for Sorted {
    type Question = u64;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        vec![names.iter().flat_map(|name| name.to_le_bytes()).collect()]
    }

    fn open(mut parts: Vec<Vec<u8>>) -> Option<Self> {
        let bytes = parts.pop()?;
        bytes
            .len()
            .is_multiple_of(NAME_BYTES)
            .then_some(Self(bytes))
    }

    fn question(name: u64) -> u64 {
        name
    }

    #[inline]
    fn contains(&self, question: &u64) -> bool {
        let (mut first, mut left) = (0, self.0.len() / NAME_BYTES);
        while left > 1 {
            let half = left / 2;
            let is_before = self.name_at(first + half) <= *question;
            first = std::hint::select_unpredictable(is_before, first + half, first);
            left -= half;
        }
        left == 1 && self.name_at(first) == *question
    }
}
