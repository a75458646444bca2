//! The revocation list that this isolate decides by, and what became of the copies it was offered.
//!
//! A value, never a promise: a newer list is built elsewhere and swapped in here in one step. A copy
//! that is not good changes nothing but a counter; the last good list serves until its own end.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::{LEEWAY_SECS, ListError, RevocationList, UnixSeconds};

use crate::lanes::LaneError;

/// Where a copy of the list came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Kv,
    Pull,
}

#[derive(Debug, Default)]
pub struct ListCache {
    current: Option<HeldList>,
    /// The highest version that each lane offered under a good signature.
    offered: BTreeMap<Lane, u64>,
    faults: BTreeMap<&'static str, u64>,
    /// What each lane suffers from at present.
    ailing: BTreeMap<Lane, Fault>,
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

/// Why a lane brought no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It gave nothing.
    #[error(transparent)]
    Lane(#[from] LaneError),
    /// It gave a copy that is no good.
    #[error(transparent)]
    List(#[from] ListError),
    #[error("the list is older than one that the same lane gave before")]
    RolledBack,
}

impl Fault {
    /// The name of the log line's event.
    #[must_use]
    pub fn event(self) -> &'static str {
        match self {
            Self::Lane(_) => "lane_failed",
            Self::List(_) | Self::RolledBack => "list_dropped",
        }
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Lane(error) => error.code(),
            Self::List(error) => error.code(),
            Self::RolledBack => "list_rolled_back",
        }
    }
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

    /// A lane may be behind the other, but never behind itself: then its copy was rolled back.
    pub fn note_offer(&mut self, lane: Lane, version: u64) -> Result<(), Fault> {
        let highest = self.offered.entry(lane).or_default();
        if version < *highest {
            return Err(Fault::RolledBack);
        }
        *highest = version;
        Ok(())
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
        Ok(if is_same {
            Swapped::SameIssuers
        } else {
            Swapped::IssuersChanged
        })
    }

    /// Counts what a lane failed with. News is what it did not fail with the last time.
    pub fn count_fault(&mut self, lane: Lane, fault: Fault) -> Notice {
        *self.faults.entry(fault.code()).or_default() += 1;
        match self.ailing.insert(lane, fault) {
            Some(before) if before == fault => Notice::None,
            _ => Notice::New,
        }
    }

    /// The lane brought a list, or the one that is held already.
    pub fn note_good(&mut self, lane: Lane) {
        self.ailing.remove(&lane);
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

    /// How often lanes failed and copies were dropped, by code.
    #[must_use]
    pub fn faults(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }
}
