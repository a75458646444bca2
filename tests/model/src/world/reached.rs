//! What a history came to, so that a run can say that it tried something.

use std::ops::Add;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub forwarded: u64,
    pub refused_as_revoked: u64,
    /// Passed by a list that did not have the revocation yet, before `effective_by`.
    pub passed_in_time: u64,
    pub refused_without_list: u64,
    pub asked_the_origin: u64,
    /// Decided by what the origin had said of the token before.
    pub asked_nobody_again: u64,
    pub refused_for_its_key: u64,
    /// Tokens that another key signed than the one before.
    pub signed_by_another: u64,
    pub keys_retired: u64,
    pub sealed: u64,
    pub merged: u64,
}

impl Reached {
    fn counts(self) -> [u64; 11] {
        [
            self.forwarded,
            self.refused_as_revoked,
            self.passed_in_time,
            self.refused_without_list,
            self.asked_the_origin,
            self.asked_nobody_again,
            self.refused_for_its_key,
            self.signed_by_another,
            self.keys_retired,
            self.sealed,
            self.merged,
        ]
    }

    /// Whether all of it happened at least once.
    #[must_use]
    pub fn is_everything(self) -> bool {
        self.counts().iter().all(|count| *count > 0)
    }
}

impl Add for Reached {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            forwarded: self.forwarded + other.forwarded,
            refused_as_revoked: self.refused_as_revoked + other.refused_as_revoked,
            passed_in_time: self.passed_in_time + other.passed_in_time,
            refused_without_list: self.refused_without_list + other.refused_without_list,
            asked_the_origin: self.asked_the_origin + other.asked_the_origin,
            asked_nobody_again: self.asked_nobody_again + other.asked_nobody_again,
            refused_for_its_key: self.refused_for_its_key + other.refused_for_its_key,
            signed_by_another: self.signed_by_another + other.signed_by_another,
            keys_retired: self.keys_retired + other.keys_retired,
            sealed: self.sealed + other.sealed,
            merged: self.merged + other.merged,
        }
    }
}
