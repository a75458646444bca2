//! Tokens whose signature was verified here before, so that a repeated token costs no signature.
//!
//! Only the signature is remembered. Time, issuer policy, revocation and scope are looked at for
//! every request by `decision`. Knows no clock: "now" is an argument.

use std::rc::Rc;

use shared::{UnixSeconds, ValidToken};

use crate::token_cache::TokenCache;

#[derive(Debug)]
pub struct VerifiedCache {
    tokens: TokenCache<Rc<ValidToken>>,
    counters: CacheCounters,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheCounters {
    pub hits: u64,
    /// Hits among them that were for requests answered in one call.
    pub hits_at_once: u64,
    pub misses: u64,
}

impl VerifiedCache {
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            tokens: TokenCache::new(max_bytes),
            counters: CacheCounters::default(),
        }
    }

    /// The token, if its signature was verified here and it has not expired.
    pub fn find(&mut self, text: &str, now: UnixSeconds) -> Option<Rc<ValidToken>> {
        let found = self.recall(text, now);
        match found {
            Some(_) => self.counters.hits += 1,
            None => self.counters.misses += 1,
        }
        found
    }

    /// A request for which a token was recalled came to its end by it.
    pub fn note_hit_at_once(&mut self) {
        self.counters.hits += 1;
        self.counters.hits_at_once += 1;
    }

    /// The same as `find`, before it is known whether this call will answer the request: counts nothing.
    pub fn recall(&mut self, text: &str, now: UnixSeconds) -> Option<Rc<ValidToken>> {
        let token = self.tokens.find(text)?;
        if now < token.claims().exp {
            return Some(Rc::clone(token));
        }
        self.tokens.remove(text);
        None
    }

    /// Remembers `token`, whose text is `text`. Its claims are less than half of that once more.
    pub fn insert(&mut self, text: &str, token: Rc<ValidToken>) {
        self.tokens.insert(text, token, text.len() / 2);
    }

    /// Forgets everything: a key or a policy changed, so what was verified under it is void.
    pub fn clear(&mut self) {
        self.tokens.clear();
    }

    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.tokens.len()
    }

    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tokens.bytes()
    }

    #[must_use]
    pub fn counters(&self) -> CacheCounters {
        self.counters
    }
}
