//! What a coding is, and which are measured. Each is one module below.

mod binary_fuse;
mod elias_fano;
mod golomb_rice;
mod loop_alone;
mod sealed;
mod sorted;
mod text_set;

use serde::{Deserialize, Serialize};

pub(crate) use binary_fuse::BinaryFuse;
pub(crate) use elias_fano::EliasFano;
pub(crate) use golomb_rice::GolombRice;
pub(crate) use loop_alone::LoopAlone;
pub(crate) use sealed::Sealed;
pub(crate) use sorted::Sorted;
pub(crate) use text_set::TextSet;

/// The bits of a name that our segments keep; the peers that keep names are given as many.
pub(crate) const NAME_BITS: u32 = 56;

/// A set of names in some form.
pub(crate) trait Coding: Sized + 'static {
    /// A name as this coding is asked for it.
    type Question;

    /// The form in which it travels and is stored. `names` are fingerprints of 64 bits, ascending.
    /// One blob, or more where one would be longer than Workers KV takes.
    fn encode(names: &[u64]) -> Vec<Vec<u8>>;

    /// Makes it ready for questions; `None` where these bytes are no such set.
    fn open(parts: Vec<Vec<u8>>) -> Option<Self>;

    fn question(name: u64) -> Self::Question;

    fn contains(&self, question: &Self::Question) -> bool;
}

/// The codings that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Sealed,
    Sorted,
    EliasFano,
    GolombRice,
    BinaryFuse,
    TextSet,
    LoopAlone,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Sealed,
        Self::Sorted,
        Self::EliasFano,
        Self::GolombRice,
        Self::BinaryFuse,
        Self::TextSet,
        Self::LoopAlone,
    ];

    /// What a reader of the table knows it by.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Sealed => "**ours**: prefix index, packed low bits",
            Self::Sorted => "sorted `u64`, binary search",
            Self::EliasFano => "Elias–Fano (`sucds`)",
            Self::GolombRice => "Golomb–Rice in buckets",
            Self::BinaryFuse => "binary fuse filter of 16 bits (`xorf`)",
            Self::TextSet => "`HashSet<String>` of `jti`",
            Self::LoopAlone => "the loop alone, asking nobody",
        }
    }

    /// The travelling form of the list of `entries` (see [`crate::names::listed`]).
    #[must_use]
    pub fn encode(self, entries: u64) -> Vec<Vec<u8>> {
        let mut names: Vec<u64> = crate::names::listed(entries).collect();
        names.sort_unstable();
        match self {
            Self::Sealed => Sealed::encode(&names),
            Self::Sorted => Sorted::encode(&names),
            Self::EliasFano => EliasFano::encode(&names),
            Self::GolombRice => GolombRice::encode(&names),
            Self::BinaryFuse => BinaryFuse::encode(&names),
            Self::TextSet => TextSet::encode(&names),
            Self::LoopAlone => LoopAlone::encode(&names),
        }
    }

    /// The fewest bits an entry that any coding takes which answers as rarely wrongly as this one:
    /// `log2 C(2^w, n) / n` for a set of names of `w` bits, by Stirling's formula; for a filter the
    /// `log2` of one in how many strangers it takes for listed. `None` where nothing is kept.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a bound to three digits")]
    pub fn bound_bits(self, entries: u64) -> Option<f64> {
        let width = match self {
            Self::Sealed | Self::EliasFano | Self::GolombRice => f64::from(NAME_BITS),
            Self::Sorted => f64::from(u64::BITS),
            Self::TextSet => f64::from(u128::BITS),
            Self::BinaryFuse => return Some(f64::from(u16::BITS)),
            Self::LoopAlone => return None,
        };
        let entries = entries as f64;
        let correction = (std::f64::consts::TAU * entries).log2() / 2.0 / entries;
        Some(width - entries.log2() + std::f64::consts::LOG2_E - correction)
    }

    /// How many of `strangers` are expected to be taken for listed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn expected_false_hits(self, entries: u64, strangers: u64) -> f64 {
        let chance = match self {
            Self::Sealed | Self::EliasFano | Self::GolombRice => {
                entries as f64 / 2_f64.powi(NAME_BITS.cast_signed())
            }
            Self::BinaryFuse => 1.0 / 2_f64.powi(u16::BITS.cast_signed()),
            // Whole names, and no two of them are alike.
            Self::Sorted | Self::TextSet | Self::LoopAlone => 0.0,
        };
        chance * strangers as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    fn agrees<C: Coding>(entries: u64) {
        let mut sorted: Vec<u64> = names::listed(entries).collect();
        sorted.sort_unstable();
        let coding = C::open(C::encode(&sorted)).expect("it reads what it wrote");
        for name in sorted {
            assert!(coding.contains(&C::question(name)), "{name:x} of {entries}");
        }
        let strangers = names::strangers(2_000, 0).map(C::question);
        let false_hits = strangers.filter(|name| coding.contains(name)).count();
        // The filter is wrong once in 65,536.
        assert!(false_hits <= 2, "{false_hits} of {entries}");
    }

    #[test]
    fn every_coding_finds_what_is_listed_and_nothing_else() {
        for entries in [1, 2, 31, 32, 33, 1_000, 20_000] {
            agrees::<Sealed>(entries);
            agrees::<Sorted>(entries);
            agrees::<EliasFano>(entries);
            agrees::<GolombRice>(entries);
            agrees::<TextSet>(entries);
        }
        // Its construction needs a few names to begin with.
        for entries in [1_000, 20_000] {
            agrees::<BinaryFuse>(entries);
        }
    }

    #[test]
    fn the_bound_is_that_of_a_set_of_all_subsets_of_a_size() {
        // log2 C(2^56, 1) is 56, of which Stirling's formula misses a tenth of a bit.
        let one = Kind::Sealed.bound_bits(1).unwrap();
        assert!((one - 56.0).abs() < 0.15, "{one}");
        let million = Kind::Sealed.bound_bits(1_000_000).unwrap() / 8.0;
        assert!((million - 4.689).abs() < 0.001, "{million}");
    }
}
