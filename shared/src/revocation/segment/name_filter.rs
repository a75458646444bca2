//! Whether a segment may hold a name, by one read of memory. "No" is always true; of the names that
//! are not there one in about twelve gets "perhaps", and the segment has to be searched for it.
//!
//! Made in memory from a segment, never sent. Each name sets [`BITS_SET`] bits of one word; the word
//! follows the name's order, so a segment's ascending names fill the words from the first to the last.

use super::name_set::{NAME_BITS, NameSet};

/// Memory for each name: 7.2 MiB at ten millions. With eight, of which three are set, a look-up was not
/// measurably faster.
const BITS_PER_NAME: usize = 6;

const BITS_SET: u32 = 2;
const WORD_BITS: usize = u64::BITS as usize;
const WORD_BITS_LOG2: u32 = WORD_BITS.ilog2();

/// The last bits of a name choose bits of a word, the first ones the word.
const FIRST_BITS: u32 = 32;
const LAST_BITS_LEFT: u32 = NAME_BITS - FIRST_BITS;
const _: () = assert!(BITS_SET * WORD_BITS_LOG2 <= LAST_BITS_LEFT);

#[derive(Clone, Debug)]
pub(super) struct NameFilter {
    words: Box<[u64]>,
}

impl NameFilter {
    /// The filter of all names in `sets`, which lie in `bytes`.
    ///
    /// By itself, so that an engine that meets it cold has only these loops to optimise, and not all that
    /// a list is taken by.
    #[inline(never)]
    pub(super) fn build(bytes: &[u8], sets: [&NameSet; 2]) -> Self {
        let count: usize = sets.iter().map(|set| set.count()).sum();
        let many = count * BITS_PER_NAME / WORD_BITS + 1;
        let mut words = vec![0; many].into_boxed_slice();
        for set in sets {
            set.names(bytes)
                .for_each(|name| words[word_of(name, many)] |= bits_of(name));
        }
        Self { words }
    }

    /// False only if the name is not in the segment.
    #[inline]
    pub(super) fn may_hold(&self, name: u64) -> bool {
        let bits = bits_of(name);
        self.words[word_of(name, self.words.len())] & bits == bits
    }
}

/// Which of `many` words is the name's: never falls as names rise.
#[inline]
fn word_of(name: u64, many: usize) -> usize {
    let first = name >> LAST_BITS_LEFT;
    // Never cut short: less than `many`.
    ((first * many as u64) >> FIRST_BITS) as usize
}

#[inline]
fn bits_of(name: u64) -> u64 {
    let choose = |nth: u32| 1_u64 << ((name >> (nth * WORD_BITS_LOG2)) % u64::from(u64::BITS));
    (0..BITS_SET).fold(0, |bits, nth| bits | choose(nth))
}

#[cfg(test)]
mod tests {
    use super::super::{Segment, encode, name_of};
    use super::*;
    use crate::revocation::entry::{Fingerprint, Scope};

    fn filter_of(names: &[u64]) -> NameFilter {
        let segment = Segment::parse(encode(names, &[])).unwrap();
        NameFilter::build(&segment.bytes, [&segment.names, &segment.cut_offs])
    }

    #[test]
    fn says_no_to_eleven_strangers_of_twelve() {
        let nth = |n: usize| {
            let fingerprint =
                Fingerprint::of(Scope::Token, "https://issuer.example", &n.to_string());
            name_of(fingerprint)
        };
        let mut names: Vec<u64> = (0..10_000).map(nth).collect();
        names.sort_unstable();
        let filter = filter_of(&names);
        assert!(names.iter().all(|name| filter.may_hold(*name)));
        let strangers = 10_000..34_000;
        let taken = strangers.filter(|n| filter.may_hold(nth(*n))).count();
        assert!((1_500..2_500).contains(&taken), "{taken} of 24,000");
    }

    #[test]
    fn of_no_names_it_holds_none() {
        let filter = filter_of(&[]);
        assert!(
            [0, 1, (1 << NAME_BITS) - 1]
                .iter()
                .all(|name| !filter.may_hold(*name))
        );
    }
}
