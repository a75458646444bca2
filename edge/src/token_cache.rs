//! Something kept for each token, by the whole text of the token: two tokens never share an entry.
//!
//! Bounded by bytes; what was not looked up for longest goes first. Knows nothing of what it keeps,
//! nor for how long that is good.

use lru::LruCache;

/// What an entry costs beside its strings: the fixed part of the value, links and slot of the table,
/// the headers of the allocations. Rounded up.
const ENTRY_OVERHEAD_BYTES: usize = 512;

#[derive(Debug)]
pub(crate) struct TokenCache<V> {
    entries: LruCache<Box<str>, Entry<V>>,
    bytes: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
}

impl<V> TokenCache<V> {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
            max_bytes,
        }
    }

    pub(crate) fn find(&mut self, text: &str) -> Option<&V> {
        self.entries.get(text).map(|entry| &entry.value)
    }

    /// Keeps `value`, whose own strings take about `value_bytes`, in place of an earlier one.
    pub(crate) fn insert(&mut self, text: &str, value: V, value_bytes: usize) {
        let bytes = text.len() + value_bytes + ENTRY_OVERHEAD_BYTES;
        self.remove(text);
        if bytes > self.max_bytes {
            return;
        }
        while self.bytes + bytes > self.max_bytes {
            let Some((_, oldest)) = self.entries.pop_lru() else {
                break;
            };
            self.bytes -= oldest.bytes;
        }
        self.bytes += bytes;
        self.entries.put(text.into(), Entry { value, bytes });
    }

    pub(crate) fn remove(&mut self, text: &str) {
        if let Some(entry) = self.entries.pop(text) {
            self.bytes -= entry.bytes;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
