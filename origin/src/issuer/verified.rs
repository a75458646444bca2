//! Tokens whose signature was verified here before, so that a repeated token costs no signature. Only
//! the signature is remembered: time and policy are looked at each time, revocation by the caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{KeySet, ValidToken, VerifyingKey};

/// Entries in one generation; a token of ours and its claims take about two kilobytes.
const GENERATION: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct VerifiedTokens(Mutex<Generations<ValidToken>>);

impl VerifiedTokens {
    /// The token, if the key that it was verified with still is one of `keys`.
    pub(super) fn find(&self, text: &str, keys: &KeySet) -> Option<Arc<ValidToken>> {
        let token = self.lock().find(text)?;
        let signed_by = token.key_fingerprint();
        let mut trusted = keys.keys().iter().map(VerifyingKey::fingerprint);
        trusted.any(|key| key == signed_by).then_some(token)
    }

    /// Remembers `token`, whose text is `text`.
    pub(super) fn insert(&self, text: &str, token: Arc<ValidToken>) {
        self.lock().insert(text.into(), token);
    }

    /// A panic elsewhere does not make an entry wrong.
    fn lock(&self) -> MutexGuard<'_, Generations<ValidToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is looked up moves to the young generation; when that is full the old one is dropped and the
/// young one becomes old. So what is in use stays, and nothing is searched for to be evicted.
#[derive(Debug)]
struct Generations<T> {
    young: Generation<T>,
    old: Generation<T>,
}

/// Keyed by the whole token: two tokens never share an entry.
type Generation<T> = HashMap<Box<str>, Arc<T>>;

impl<T> Default for Generations<T> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<T> Generations<T> {
    fn find(&mut self, text: &str) -> Option<Arc<T>> {
        if let Some(found) = self.young.get(text) {
            return Some(Arc::clone(found));
        }
        let (text, found) = self.old.remove_entry(text)?;
        self.insert(text, Arc::clone(&found));
        Some(found)
    }

    fn insert(&mut self, text: Box<str>, value: Arc<T>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_use_stays_and_one_that_is_not_goes() {
        let mut tokens = Generations::default();
        tokens.insert("used".into(), Arc::new(()));
        tokens.insert("forgotten".into(), Arc::new(()));
        for number in 0..2 * GENERATION {
            tokens.insert(number.to_string().into(), Arc::new(()));
            assert!(tokens.find("used").is_some(), "after {number}");
        }
        assert!(tokens.find("forgotten").is_none());
        assert!(tokens.young.len() + tokens.old.len() <= 2 * GENERATION);
    }
}
