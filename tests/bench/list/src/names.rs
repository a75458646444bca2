//! The names that lists are made of and asked for: made from their number, so that nobody has to
//! send or keep them. As even as hashes are, and no two alike.

/// Strangers, which no list names, are numbered from here on.
const FIRST_STRANGER: u64 = 1 << 40;
const FIRST_DRAW: u64 = 1 << 41;
/// More than anybody asks in one round.
const QUESTIONS_A_ROUND: u64 = 1 << 24;

/// The name with this number. (The mixer of `SplitMix64`: one to one.)
#[must_use]
pub fn numbered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The names of a list of `entries`, in no order.
pub fn listed(entries: u64) -> impl Iterator<Item = u64> {
    (0..entries).map(numbered)
}

/// `count` names that no list holds, others in each round.
pub fn strangers(count: u64, round: u64) -> impl Iterator<Item = u64> {
    let first = FIRST_STRANGER + round * QUESTIONS_A_ROUND;
    (first..first + count).map(numbered)
}

/// `count` names of a list of `entries`, drawn evenly, others in each round.
pub fn drawn(entries: u64, count: u64, round: u64) -> impl Iterator<Item = u64> {
    let first = FIRST_DRAW + round * QUESTIONS_A_ROUND;
    (first..first + count).map(move |draw| numbered(numbered(draw) % entries.max(1)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn draws_name_what_is_listed_and_strangers_what_is_not() {
        let list: HashSet<u64> = listed(1_000).collect();
        assert_eq!(list.len(), 1_000);
        assert!(drawn(1_000, 5_000, 3).all(|name| list.contains(&name)));
        assert!(strangers(5_000, 3).all(|name| !list.contains(&name)));
    }
}
