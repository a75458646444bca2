//! The newest entries, in order of publication: bytes that only grow, so that an edge is sent the
//! end that it lacks, with an index for looking up.
//!
//! One entry is a kind byte, the fingerprint (8 bytes, big-endian), and for kind 1 the cut-off in
//! seconds (8 bytes, big-endian): 9 bytes for a token or a session, 17 for a user.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::ListError;
use crate::revocation::content_address;
use crate::revocation::entry::{Before, Entry, Fingerprint};
use crate::time::UnixSeconds;

/// The longest tail in bytes.
pub const MAX_TAIL_BYTES: usize = 64 * 1024;

const KIND_ALWAYS: u8 = 0;
const KIND_TIME: u8 = 1;
const ALWAYS_BYTES: usize = 9;
const TIME_BYTES: usize = 17;

/// How many bytes of the tail `entry` takes.
#[must_use]
pub const fn encoded_len(entry: &Entry) -> usize {
    match entry.before {
        Before::Always => ALWAYS_BYTES,
        Before::Time(_) => TIME_BYTES,
    }
}

/// Entries that no segment holds yet.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    count: u64,
    index: HashMap<u64, Before, BuildHasherDefault<FingerprintHasher>>,
}

impl Tail {
    /// A tail without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole tail.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        let mut tail = Self::new();
        tail.append(bytes)?;
        Ok(tail)
    }

    /// Adds the entries encoded in `bytes`. On an error the tail is left half-read: drop it.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ListError> {
        if self.bytes.len() + bytes.len() > MAX_TAIL_BYTES {
            return Err(ListError::TailTooLong);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (entry, after) = decode(rest).ok_or(ListError::TailMalformed)?;
            self.insert(entry);
            rest = after;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Adds one entry at the end.
    pub fn push(&mut self, entry: Entry) {
        match entry.before {
            Before::Always => self.bytes.push(KIND_ALWAYS),
            Before::Time(_) => self.bytes.push(KIND_TIME),
        }
        self.bytes
            .extend_from_slice(&entry.fingerprint.0.to_be_bytes());
        if let Before::Time(time) = entry.before {
            self.bytes.extend_from_slice(&time.as_secs().to_be_bytes());
        }
        self.insert(entry);
    }

    fn insert(&mut self, entry: Entry) {
        self.count += 1;
        let before = self
            .index
            .entry(entry.fingerprint.0)
            .or_insert(entry.before);
        *before = entry.before.max(*before);
    }

    /// The latest `before` of a name, if it has an entry here.
    #[must_use]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        self.index.get(&fingerprint.0).copied()
    }

    /// The encoded entries.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many entries, repeated names included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The content address of the encoded entries.
    #[must_use]
    pub fn sha256(&self) -> String {
        content_address::of(&self.bytes)
    }

    /// The entries in order of publication.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (entry, after) = decode(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

/// The first entry and what follows it; `None` at the end and on bytes that are no entry.
fn decode(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (fingerprint, rest) = rest.split_first_chunk()?;
    let fingerprint = Fingerprint(u64::from_be_bytes(*fingerprint));
    match *kind {
        KIND_ALWAYS => Some((
            Entry {
                fingerprint,
                before: Before::Always,
            },
            rest,
        )),
        KIND_TIME => {
            let (secs, rest) = rest.split_first_chunk()?;
            let time = UnixSeconds::from_secs(u64::from_be_bytes(*secs));
            Some((
                Entry {
                    fingerprint,
                    before: Before::Time(time),
                },
                rest,
            ))
        }
        _ => None,
    }
}

/// Fingerprints are bits of SHA-256, already as even as a hash could make them.
#[derive(Clone, Copy, Debug, Default)]
struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fingerprint: u64, before: Option<u64>) -> Entry {
        let before = before.map_or(Before::Always, |secs| {
            Before::Time(UnixSeconds::from_secs(secs))
        });
        Entry {
            fingerprint: Fingerprint(fingerprint),
            before,
        }
    }

    #[test]
    fn what_is_pushed_is_read_back_in_order() {
        let entries = [entry(7, None), entry(1, Some(50)), entry(7, Some(3))];
        let mut tail = Tail::new();
        for entry in entries {
            tail.push(entry);
        }
        let read = Tail::parse(tail.as_bytes()).unwrap();
        assert_eq!(read.entries().collect::<Vec<_>>(), entries);
        assert_eq!(read.count(), 3);
        assert_eq!(
            read.as_bytes().len(),
            entries.iter().map(encoded_len).sum::<usize>()
        );
        assert_eq!(read.sha256(), tail.sha256());
    }

    #[test]
    fn entries_of_one_name_combine_by_max_in_any_order() {
        for befores in [[Some(5), Some(9)], [Some(9), Some(5)]] {
            let mut tail = Tail::new();
            for before in befores {
                tail.push(entry(1, before));
            }
            assert_eq!(
                tail.find(Fingerprint(1)),
                Some(Before::Time(UnixSeconds::from_secs(9)))
            );
            tail.push(entry(1, None));
            tail.push(entry(1, Some(20)));
            assert_eq!(tail.find(Fingerprint(1)), Some(Before::Always));
        }
        assert_eq!(Tail::new().find(Fingerprint(1)), None);
    }

    #[test]
    fn refuses_bytes_that_are_not_entries() {
        let mut tail = Tail::new();
        tail.push(entry(7, Some(50)));
        for cut in 1..TIME_BYTES {
            let bytes = &tail.as_bytes()[..cut];
            assert_eq!(
                Tail::parse(bytes).unwrap_err(),
                ListError::TailMalformed,
                "{cut}"
            );
        }
        assert_eq!(Tail::parse(&[2; 17]).unwrap_err(), ListError::TailMalformed);
        let long = vec![0; MAX_TAIL_BYTES + 1];
        assert_eq!(Tail::parse(&long).unwrap_err(), ListError::TailTooLong);
    }
}
