//! Segments in memory, for the many edges that fetch the same few at the same moment. They never
//! change, so nothing here is ever stale; what is asked for least recently makes room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sqlx::AnyPool;

use crate::store::segments;

/// The longest segment of all fits, or some twenty of a million entries' list.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Cheap to clone: every clone is the same cache.
#[derive(Debug, Clone, Default)]
pub struct SegmentCache(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    held: Mutex<Held>,
    /// One statement for all who ask for what is not here yet.
    loading: tokio::sync::Mutex<()>,
}

/// By the time of the last use, the newest last.
#[derive(Debug, Default)]
struct Held {
    segments: VecDeque<(String, Bytes)>,
    bytes: usize,
}

impl SegmentCache {
    /// The segment from memory or from the database; `None` if there is none of this name.
    pub async fn find(&self, pool: &AnyPool, sha256: &str) -> sqlx::Result<Option<Bytes>> {
        if let Some(bytes) = self.find_held(sha256) {
            return Ok(Some(bytes));
        }
        let _one_at_a_time = self.0.loading.lock().await;
        if let Some(bytes) = self.find_held(sha256) {
            return Ok(Some(bytes));
        }
        let loaded = segments::find_bytes(pool, sha256).await?.map(Bytes::from);
        if let Some(bytes) = &loaded {
            self.lock().keep(sha256.to_owned(), bytes.clone());
        }
        Ok(loaded)
    }

    fn find_held(&self, sha256: &str) -> Option<Bytes> {
        self.lock().find(sha256)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        // A panic elsewhere leaves at worst a miscounted byte: the segments stay good.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn find(&mut self, sha256: &str) -> Option<Bytes> {
        let index = self.segments.iter().position(|(name, _)| name == sha256)?;
        let found = self.segments.remove(index)?;
        let bytes = found.1.clone();
        self.segments.push_back(found);
        Some(bytes)
    }

    fn keep(&mut self, sha256: String, bytes: Bytes) {
        self.bytes += bytes.len();
        self.segments.push_back((sha256, bytes));
        while self.bytes > MOST_BYTES
            && let Some((_, dropped)) = self.segments.pop_front()
        {
            self.bytes -= dropped.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_least_recently_makes_room() {
        let mut held = Held::default();
        let quarter = Bytes::from(vec![0; MOST_BYTES / 4]);
        for name in ["a", "b", "c", "d"] {
            held.keep(name.to_owned(), quarter.clone());
        }
        assert!(held.find("a").is_some());
        held.keep("e".to_owned(), quarter);
        let there = ["a", "b", "c", "d", "e"].map(|name| held.find(name).is_some());
        assert_eq!(there, [true, false, true, true, true]);
        assert_eq!(held.bytes, MOST_BYTES);
    }

    #[test]
    fn holds_nothing_that_is_longer_than_all_of_it() {
        let mut held = Held::default();
        held.keep("a".to_owned(), Bytes::from(vec![0; MOST_BYTES + 1]));
        assert_eq!((held.bytes, held.segments.len()), (0, 0));
    }
}
