//! The revocation list that this isolate decides by, and what became of the copies it was offered.
//!
//! A value, never a promise: a newer list is built elsewhere and swapped in here in one step. A copy
//! that is not good changes nothing but a counter; the last good list serves until its own end.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::{LEEWAY_SECS, ListError, RevocationList, UnixSeconds};

/// Where a copy of the list came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Kv,
    Pull,
}

#[derive(Debug, Default)]
pub struct ListCache {
    current: Option<HeldList>,
    dropped: BTreeMap<&'static str, u64>,
    last_dropped: Option<(Lane, ListError)>,
    is_clock_off: bool,
}

#[derive(Debug, Clone)]
pub struct HeldList {
    pub list: RevocationList,
    pub lane: Lane,
}

/// What a swap means for whatever was derived from the former list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swapped {
    /// Same issuers, same keys, same policies.
    SameIssuers,
    /// What was verified under the former keys and policies is void.
    IssuersChanged,
}

/// Whether something that went wrong is worth a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It was otherwise before.
    New,
    /// Known, or nothing wrong.
    None,
}

impl ListCache {
    #[must_use]
    pub fn current(&self) -> Option<&HeldList> {
        self.current.as_ref()
    }

    /// Cheap: the list's parts are shared.
    #[must_use]
    pub fn current_list(&self) -> Option<RevocationList> {
        self.current.as_ref().map(|held| held.list.clone())
    }

    /// The version to ask for something newer than; 0 asks for everything.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.current.as_ref().map_or(0, |held| held.list.version())
    }

    /// Takes `list` only if it is still newer than what is held: while it was being built, another
    /// request may have brought a newer one.
    pub fn swap_in(&mut self, list: RevocationList, lane: Lane) -> Result<Swapped, ListError> {
        if list.version() <= self.version() {
            return Err(ListError::NotNewer);
        }
        let is_same = self
            .current
            .as_ref()
            .is_some_and(|held| held.list.head().issuers == list.head().issuers);
        self.current = Some(HeldList { list, lane });
        self.last_dropped = None;
        Ok(if is_same {
            Swapped::SameIssuers
        } else {
            Swapped::IssuersChanged
        })
    }

    /// Counts a copy that was not taken. "Not newer" is the two lanes agreeing, and no fault.
    pub fn count_dropped(&mut self, error: ListError, lane: Lane) -> Notice {
        if error == ListError::NotNewer {
            return Notice::None;
        }
        *self.dropped.entry(error.code()).or_default() += 1;
        if self.last_dropped.replace((lane, error)) == Some((lane, error)) {
            Notice::None
        } else {
            Notice::New
        }
    }

    /// A head that was made in our future says that our clock is behind: the list is taken, but it
    /// will end later here than the origin means it to.
    pub fn note_clock(&mut self, now: UnixSeconds) -> Notice {
        let made_at = self.current.as_ref().map(|held| held.list.head().iat);
        let is_off = made_at.is_some_and(|made_at| made_at > now.plus_secs(LEEWAY_SECS));
        let was_off = std::mem::replace(&mut self.is_clock_off, is_off);
        if is_off && !was_off {
            Notice::New
        } else {
            Notice::None
        }
    }

    /// How many copies were dropped, by code.
    #[must_use]
    pub fn dropped(&self) -> &BTreeMap<&'static str, u64> {
        &self.dropped
    }
}
