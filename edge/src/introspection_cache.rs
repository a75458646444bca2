//! What the origin said about tokens, for as long as both the origin and the route allow it to be
//! believed. Nothing is kept unless both say so. Knows no clock: "now" is an argument.

use shared::UnixSeconds;

use crate::introspection::{Introspected, Introspection};
use crate::lapse::is_recent;
use crate::token_cache::TokenCache;

const MAX_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub struct IntrospectionCache {
    answers: TokenCache<Kept>,
}

#[derive(Debug)]
struct Kept {
    introspection: Introspection,
    /// When the question was sent: the answer may be as old as that.
    asked_at: UnixSeconds,
    ends_at: UnixSeconds,
}

impl Default for IntrospectionCache {
    fn default() -> Self {
        Self {
            answers: TokenCache::new(MAX_BYTES),
        }
    }
}

impl IntrospectionCache {
    /// The origin's answer, if it is no older than the route allows and has not ended.
    pub fn find(
        &mut self,
        text: &str,
        max_age_secs: u64,
        now: UnixSeconds,
    ) -> Option<Introspection> {
        let kept = self.answers.find(text)?;
        let is_good =
            now < kept.ends_at && is_recent(Some(kept.asked_at), max_age_secs * 1000, now);
        is_good.then(|| kept.introspection.clone())
    }

    /// Keeps the answer to a question about the token `text`, if the origin lets it be kept.
    pub fn insert(&mut self, text: &str, answer: &Introspected, asked_at: UnixSeconds) {
        let ends_at = answer.ends_at(asked_at);
        if ends_at <= asked_at {
            return;
        }
        let kept = Kept {
            introspection: answer.introspection.clone(),
            asked_at,
            ends_at,
        };
        let bytes = answer.introspection.text_bytes();
        self.answers.insert(text, kept, bytes);
    }
}
