//! A signed revocation list at its worst for a request: of each size as many segments as the
//! publisher's merging ever leaves, and a tail. No live token is on it, so every look-up goes through
//! all of it. And the lists that follow it.

use list_bench::names;
use serde_json::Value;
use shared::{
    Algorithm, Before, Entry, Fingerprint, HEAD_TYP, Head, Issuer, ListMessage, MAX_SEGMENT_BYTES,
    MAX_TAIL_BYTES, Segment, SegmentRef, Tail, TailRef, UnixSeconds,
};

use super::signer::Signer;

/// A tail holds so many revocations of tokens and sessions; then it becomes a segment.
const ENTRIES_OF_A_FULL_TAIL: u64 = MAX_TAIL_BYTES as u64 / 9;
/// Four segments of one size are merged into one.
const FAN_OUT: u64 = 4;
const MOST_OF_ONE_SIZE: usize = 3;
/// The most that the publisher merges into one segment: a cut-off takes 14 bytes there.
const MOST_ENTRIES: u64 = MAX_SEGMENT_BYTES as u64 / 14;
const TAIL_ENTRIES: u64 = 2_000;
/// Every tenth entry is a user's cut-off, the others name a token or a session.
const CUT_OFF_EVERY: u64 = 10;
const LIST_LIFETIME_SECS: u64 = 180;
/// The entries of updates are numbered from here on, far from those of the list.
const FIRST_OF_UPDATES: u64 = 1 << 32;

pub(super) struct RevokedList {
    signer: Signer,
    issuer: Issuer,
    until: UnixSeconds,
    segments: Vec<(SegmentRef, Vec<u8>)>,
    tail: Tail,
}

/// What an edge is sent of the next list: a new segment and the message.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) segment: (SegmentRef, Vec<u8>),
    pub(super) message: ListMessage,
}

impl RevokedList {
    /// `entries` of them, made at `now`, none of which is needed after `until`. Its names are those of
    /// [`names::listed`].
    pub(super) fn build(
        entries: u64,
        issuer: Issuer,
        now: UnixSeconds,
        until: UnixSeconds,
    ) -> anyhow::Result<Self> {
        let mut segments = Vec::new();
        let mut first = 0;
        for size in segment_sizes(entries) {
            segments.push(seal(&entries_from(first, size, now), until)?);
            first += size;
        }
        let mut tail = Tail::new();
        for entry in entries_from(first, entries - first, now) {
            tail.push(entry);
        }
        Ok(Self {
            signer: Signer::generate(Algorithm::EdDsa, "bench-list")?,
            issuer,
            until,
            segments,
            tail,
        })
    }

    pub(super) fn entry_count(&self) -> u64 {
        let sealed: u64 = self.segments.iter().map(|(segment, _)| segment.count).sum();
        sealed + self.tail.count()
    }

    /// The JWKS that an edge pins.
    pub(super) fn list_keys(&self) -> Value {
        serde_json::json!({ "keys": [self.signer.public_jwk()] })
    }

    pub(super) fn segments(&self) -> &[(SegmentRef, Vec<u8>)] {
        &self.segments
    }

    pub(super) fn find_segment(&self, sha256: &str) -> Option<&[u8]> {
        let mut segments = self.segments.iter();
        let (_, bytes) = segments.find(|(known, _)| known.sha256 == sha256)?;
        Some(bytes)
    }

    /// The list as it is published at `now`, whole; its version is the time in milliseconds.
    pub(super) fn sign_message(&self, now: UnixSeconds) -> anyhow::Result<ListMessage> {
        let segments = self.segments.iter().map(|(segment, _)| segment.clone());
        self.sign(now.as_millis(), now, segments.collect(), &self.tail)
    }

    /// The list after it, the `number`th of those: with `count` new entries, as the publisher does it
    /// with a tail that was just sealed: a full tail as a segment, the rest in the new tail.
    pub(super) fn sign_update(
        &self,
        number: u64,
        count: u64,
        now: UnixSeconds,
    ) -> anyhow::Result<Update> {
        let first = FIRST_OF_UPDATES + number * count;
        let sealed = count.min(ENTRIES_OF_A_FULL_TAIL);
        let always = |number| Entry {
            fingerprint: Fingerprint(names::numbered(number)),
            before: Before::Always,
        };
        let entries: Vec<Entry> = (first..first + sealed).map(always).collect();
        let segment = seal(&entries, self.until)?;
        let mut tail = Tail::new();
        for number in first + sealed..first + count {
            tail.push(always(number));
        }
        let mut segments: Vec<_> = self.segments.iter().map(|(part, _)| part.clone()).collect();
        segments.push(segment.0.clone());
        let version = now.as_millis() + 1 + number;
        let message = self.sign(version, now, segments, &tail)?;
        Ok(Update { segment, message })
    }

    fn sign(
        &self,
        version: u64,
        now: UnixSeconds,
        segments: Vec<SegmentRef>,
        tail: &Tail,
    ) -> anyhow::Result<ListMessage> {
        let head = Head {
            iss: self.issuer.iss.clone(),
            iat: now,
            exp: now.plus_secs(LIST_LIFETIME_SECS),
            ver: version,
            issuers: vec![self.issuer.clone()],
            grace: 0,
            segments,
            tail: TailRef {
                sha256: tail.sha256(),
                count: tail.count(),
            },
        };
        Ok(ListMessage {
            head: self.signer.sign(HEAD_TYP, &head.to_json())?,
            from: 0,
            tail: tail.as_bytes().to_vec(),
        })
    }

    pub(super) fn tail_bytes(&self) -> u64 {
        self.tail.as_bytes().len() as u64
    }
}

/// Of each size that merging makes as many as it leaves at most, and what is left in the fewest.
fn segment_sizes(entries: u64) -> Vec<u64> {
    let mut sizes = Vec::new();
    let mut left = entries - TAIL_ENTRIES.min(entries / 5);
    let mut size = ENTRIES_OF_A_FULL_TAIL;
    while size <= MOST_ENTRIES && size * (MOST_OF_ONE_SIZE as u64) < left {
        sizes.extend([size; MOST_OF_ONE_SIZE]);
        left -= size * MOST_OF_ONE_SIZE as u64;
        size *= FAN_OUT;
    }
    let parts = left.div_ceil(MOST_ENTRIES).max(1);
    sizes.extend((0..parts).map(|part| left / parts + u64::from(part < left % parts)));
    sizes
}

fn seal(entries: &[Entry], until: UnixSeconds) -> anyhow::Result<(SegmentRef, Vec<u8>)> {
    let bytes = Segment::build(entries);
    let reference = SegmentRef {
        sha256: Segment::sha256_of(&bytes),
        count: Segment::parse(bytes.clone())?.count(),
        until,
    };
    Ok((reference, bytes))
}

fn entries_from(first: u64, count: u64, now: UnixSeconds) -> Vec<Entry> {
    let entry = |number| Entry {
        fingerprint: Fingerprint(names::numbered(number)),
        before: if number % CUT_OFF_EVERY == 0 {
            Before::Time(now)
        } else {
            Before::Always
        },
    };
    (first..first + count).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_as_many_segments_as_merging_leaves() {
        for (entries, segments) in [(10_000, 1), (1_000_000, 10), (10_000_000, 17)] {
            let sizes = segment_sizes(entries);
            assert_eq!(sizes.len(), segments, "{entries}: {sizes:?}");
            assert_eq!(sizes.iter().sum::<u64>(), entries - 2_000);
            assert!(sizes.iter().all(|size| *size <= MOST_ENTRIES));
        }
    }
}
