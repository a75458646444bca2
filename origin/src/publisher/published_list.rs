//! One published list as the pull lane holds it: immutable, shared by every waiter, rendered once
//! for all edges that are equally far behind. It does not know who asks.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use shared::{LEEWAY_SECS, ListMessage, UnixSeconds};

use crate::store::list::{Mark, StoredList};

/// Beyond these an edge is sent the whole tail, which is at most 64 KiB.
const REMEMBERED_MARKS: usize = 4096;
/// Edges are a few versions apart at most; the rest is rendered anew.
const RENDERINGS_KEPT: usize = 16;

impl StoredList {
    /// The list message with the tail from `from` on; `from` beyond the end means the whole.
    #[must_use]
    pub fn message_from(&self, from: u64) -> ListMessage {
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        let (from, tail) = match self.tail.get(start..) {
            Some(suffix) => (from, suffix),
            None => (0, self.tail.as_slice()),
        };
        ListMessage {
            head: self.head.clone(),
            from,
            tail: tail.to_vec(),
        }
    }
}

#[derive(Debug)]
pub struct PublishedList {
    list: StoredList,
    /// Earlier heads of the same tail epoch, by ascending version.
    marks: Vec<Mark>,
    renderings: Mutex<Vec<(u64, Bytes)>>,
}

impl PublishedList {
    /// `list` as the successor of `previous`; `marks` are heads between the two.
    #[must_use]
    pub fn after(previous: Option<&Self>, list: StoredList, marks: &[Mark]) -> Self {
        let own = Mark {
            version: list.version,
            tail_epoch: list.tail_epoch,
            tail_bytes: list.tail.len() as u64,
        };
        let known = previous.map_or(&[][..], |previous| &previous.marks);
        let mut marks: Vec<Mark> = known
            .iter()
            .chain(marks)
            .chain([&own])
            .filter(|mark| mark.tail_epoch == list.tail_epoch && mark.version <= list.version)
            .copied()
            .collect();
        marks.sort_unstable_by_key(|mark| mark.version);
        marks.dedup_by_key(|mark| mark.version);
        marks.drain(..marks.len().saturating_sub(REMEMBERED_MARKS));
        Self {
            list,
            marks,
            renderings: Mutex::default(),
        }
    }

    #[must_use]
    pub fn list(&self) -> &StoredList {
        &self.list
    }

    #[must_use]
    pub fn version(&self) -> u64 {
        self.list.version
    }

    /// For how many seconds from now an edge may believe what it is told about a token now. A
    /// revocation promises to be in force when the last list without it ends, and this may be that
    /// one. Our clock may be behind, so the leeway is left out.
    #[must_use]
    pub fn secs_to_believe(&self, now: UnixSeconds) -> u64 {
        let left_millis = self
            .list
            .expires_at
            .as_millis()
            .saturating_sub(now.as_millis());
        (left_millis / 1000).saturating_sub(LEEWAY_SECS)
    }

    /// The list message for an edge that holds `version` (0: none): JSON, with the whole tail
    /// unless that version is known to begin with the same bytes.
    #[must_use]
    pub fn message_after(&self, version: u64) -> Bytes {
        let from = self.find_mark(version).map_or(0, |mark| mark.tail_bytes);
        // A panic elsewhere leaves at worst a missing rendering: the lock's content stays good.
        let mut renderings = self
            .renderings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = renderings.iter().find(|(start, _)| *start == from) {
            return bytes.clone();
        }
        let bytes = Bytes::from(self.list.message_from(from).to_json());
        if renderings.len() < RENDERINGS_KEPT {
            renderings.push((from, bytes.clone()));
        }
        bytes
    }

    #[must_use]
    pub fn find_mark(&self, version: u64) -> Option<&Mark> {
        let index = self
            .marks
            .binary_search_by_key(&version, |mark| mark.version)
            .ok()?;
        self.marks.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(version: u64, tail_epoch: u64, tail: &[u8]) -> StoredList {
        StoredList {
            version,
            issued_at: UnixSeconds::from_secs(1),
            expires_at: UnixSeconds::from_secs(2),
            head: "h.p.s".to_owned(),
            tail_epoch,
            tail: tail.to_vec(),
        }
    }

    fn parsed(bytes: &Bytes) -> (u64, Vec<u8>) {
        let message = ListMessage::parse(bytes).unwrap();
        (message.from, message.tail)
    }

    #[test]
    fn sends_an_edge_only_the_bytes_that_it_lacks() {
        let first = PublishedList::after(None, list(1, 9, b"abc"), &[]);
        let second = PublishedList::after(Some(&first), list(2, 9, b"abcdef"), &[]);
        assert_eq!(parsed(&second.message_after(1)), (3, b"def".to_vec()));
        assert_eq!(parsed(&second.message_after(2)), (6, Vec::new()));
    }

    #[test]
    fn sends_the_whole_tail_to_an_edge_that_holds_none_or_an_unknown_one() {
        let first = PublishedList::after(None, list(5, 9, b"abc"), &[]);
        for version in [0, 1, 4, 6, u64::MAX] {
            assert_eq!(
                parsed(&first.message_after(version)),
                (0, b"abc".to_vec()),
                "{version}"
            );
        }
    }

    #[test]
    fn sends_the_whole_tail_to_an_edge_of_an_older_epoch() {
        let first = PublishedList::after(None, list(1, 9, b"abc"), &[]);
        let second = PublishedList::after(Some(&first), list(2, 10, b"xyz1"), &[]);
        assert_eq!(parsed(&second.message_after(1)), (0, b"xyz1".to_vec()));
    }

    #[test]
    fn knows_the_heads_that_another_replica_published_in_between() {
        let first = PublishedList::after(None, list(1, 9, b"a"), &[]);
        let between = [Mark {
            version: 2,
            tail_epoch: 9,
            tail_bytes: 2,
        }];
        let third = PublishedList::after(Some(&first), list(3, 9, b"abc"), &between);
        assert_eq!(parsed(&third.message_after(2)), (2, b"c".to_vec()));
    }

    #[test]
    fn remembers_a_bounded_number_of_heads() {
        let marks: Vec<Mark> = (1..=10_000)
            .map(|version| Mark {
                version,
                tail_epoch: 9,
                tail_bytes: 0,
            })
            .collect();
        let newest = PublishedList::after(None, list(10_001, 9, b""), &marks);
        assert_eq!(newest.marks.len(), REMEMBERED_MARKS);
        assert!(newest.find_mark(10_000).is_some());
        assert!(newest.find_mark(1).is_none());
    }
}
