//! Tokens whose signature was verified here before, so that a repeated token costs no signature.
//!
//! Only the signature is remembered. Time, issuer policy, revocation and scope are looked at for
//! every request by `decision`. Bounded by bytes; knows no clock: "now" is an argument.

use std::collections::HashMap;
use std::rc::Rc;

use shared::{UnixSeconds, ValidToken};

/// What an entry costs beside its strings: the claims' fixed part, the table's slot, the headers of
/// the allocations. Rounded up.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// Two generations: looked-up entries move to the young one; when that holds half of the budget,
/// the old one is dropped and the young one becomes old. So an entry that is in use stays, one that
/// is not goes, and no entry is ever searched for to be evicted.
#[derive(Debug)]
pub struct VerifiedCache {
    young: Generation,
    old: Generation,
    max_bytes: usize,
    counters: CacheCounters,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheCounters {
    pub hits: u64,
    pub misses: u64,
}

#[derive(Debug, Default)]
struct Generation {
    /// Keyed by the whole token: two tokens never share an entry.
    entries: HashMap<Box<str>, Rc<ValidToken>>,
    bytes: usize,
}

impl VerifiedCache {
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            max_bytes,
            counters: CacheCounters::default(),
        }
    }

    /// The token, if its signature was verified here and it has not expired.
    pub fn find(&mut self, text: &str, now: UnixSeconds) -> Option<Rc<ValidToken>> {
        let found = self.find_alive(text, now);
        match found {
            Some(_) => self.counters.hits += 1,
            None => self.counters.misses += 1,
        }
        found
    }

    fn find_alive(&mut self, text: &str, now: UnixSeconds) -> Option<Rc<ValidToken>> {
        if let Some(token) = self.young.entries.get(text) {
            if now < token.claims().exp {
                return Some(Rc::clone(token));
            }
            self.young.remove(text);
            return None;
        }
        let token = self
            .old
            .remove(text)
            .filter(|token| now < token.claims().exp)?;
        self.insert(text, Rc::clone(&token));
        Some(token)
    }

    /// Remembers `token`, whose text is `text`.
    pub fn insert(&mut self, text: &str, token: Rc<ValidToken>) {
        let half = self.max_bytes / 2;
        let bytes = entry_bytes(text);
        if bytes > half {
            return;
        }
        if self.young.bytes + bytes > half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, token);
    }

    /// Forgets everything: a key or a policy changed, so what was verified under it is void.
    pub fn clear(&mut self) {
        self.young = Generation::default();
        self.old = Generation::default();
    }

    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.young.entries.len() + self.old.entries.len()
    }

    #[must_use]
    pub fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }

    #[must_use]
    pub fn counters(&self) -> CacheCounters {
        self.counters
    }
}

impl Generation {
    fn insert(&mut self, text: &str, token: Rc<ValidToken>) {
        if self.entries.insert(text.into(), token).is_none() {
            self.bytes += entry_bytes(text);
        }
    }

    fn remove(&mut self, text: &str) -> Option<Rc<ValidToken>> {
        let token = self.entries.remove(text)?;
        self.bytes -= entry_bytes(text);
        Some(token)
    }
}

/// The text is kept once as the key; the claims are less than half of it once more.
fn entry_bytes(text: &str) -> usize {
    text.len() + text.len() / 2 + ENTRY_OVERHEAD_BYTES
}
