//! The list after this one, as a pure function of what the database holds: which entries go into
//! the tail, when the tail is sealed into a segment, and what the head says. No time, no stores.

use shared::{
    ACCESS_TOKEN_TYP, Before, Entry, Fingerprint, Head, Issuer, ListError, MAX_SEGMENTS,
    MAX_TAIL_BYTES, Scope, Segment, SegmentRef, Tail, TailRef, UnixSeconds, encoded_len,
};

use crate::clock::CLOCK_ERROR_SECS;
use crate::keys;
use crate::store::list::NewestHead;
use crate::store::outbox::OutboxRow;
use crate::store::segments::{NewSegment, SegmentRow};
use crate::store::token_keys::TokenKeyRow;

/// A tail this old is sealed, so that edges which start anew fetch little besides segments.
const OLDEST_TAIL_SECS: u64 = 300;
/// A tail with fewer entries stays open however old: a segment each five minutes for a handful of
/// entries would cost edges more than sending them the tail.
const FEWEST_SEALED_ENTRIES: u64 = 256;

/// What every head of this origin says.
#[derive(Debug, Clone)]
pub struct ListSettings {
    pub issuer: String,
    pub audience: String,
    pub token_lifetime_secs: u64,
    pub lifetime_secs: u64,
    pub grace_secs: u64,
}

/// What the database holds before a publication.
#[derive(Debug)]
pub struct ListState {
    pub newest: Option<NewestHead>,
    pub tail: Option<OpenTail>,
    /// Segments that may still have something to say, the oldest first.
    pub segments: Vec<SegmentRow>,
    /// Revocations that are in no list yet, in the order in which they go out.
    pub outbox: Vec<OutboxRow>,
    /// The issuer's cut-off, if it has one.
    pub not_before: Option<UnixSeconds>,
    /// The token keys that edges are to trust.
    pub token_keys: Vec<TokenKeyRow>,
}

/// A tail that still grows.
#[derive(Debug, Clone)]
pub struct OpenTail {
    /// The version of the head that began it.
    pub epoch: u64,
    pub tail: Tail,
    pub started_at: UnixSeconds,
    pub retain_until: UnixSeconds,
}

#[derive(Debug)]
pub struct NextList {
    pub head: Head,
    pub tail: OpenTail,
    pub sealed: Vec<NewSegment>,
    /// How many rows of the outbox this list carries, counted from its start. Fewer than all only
    /// while [`MAX_SEGMENTS`] leaves no room to seal: the rest goes out after a merge.
    pub carried: usize,
    pub predecessors_end_at: UnixSeconds,
}

/// Builds the list that follows `state` at `now`.
pub fn build_next_list(
    settings: &ListSettings,
    state: ListState,
    now: UnixSeconds,
) -> Result<NextList, ListError> {
    let version = next_version(state.newest.as_ref(), now);
    let mut builder = Builder {
        version,
        now,
        segments: state.segments.iter().map(segment_ref).collect(),
        tail: state.tail.unwrap_or_else(|| OpenTail::new(version, now)),
        sealed: Vec::new(),
    };
    builder.retire_old_tail()?;
    let carried = builder.carry(&state.outbox)?;
    let head = Head {
        iss: settings.issuer.clone(),
        iat: now,
        exp: now.plus_secs(settings.lifetime_secs),
        ver: version,
        issuers: vec![own_issuer(settings, state.not_before, &state.token_keys)],
        grace: settings.grace_secs,
        segments: builder.segments,
        tail: TailRef {
            sha256: builder.tail.tail.sha256(),
            count: builder.tail.tail.count(),
        },
    };
    Ok(NextList {
        head,
        tail: builder.tail,
        sealed: builder.sealed,
        carried,
        predecessors_end_at: predecessors_end_at(state.newest.as_ref()),
    })
}

/// Grows with the clock where it can, so that it still grows after the database was restored from
/// a backup; and grows where the clock cannot be believed.
fn next_version(newest: Option<&NewestHead>, now: UnixSeconds) -> u64 {
    now.as_millis()
        .max(newest.map_or(0, |newest| newest.version) + 1)
}

fn predecessors_end_at(newest: Option<&NewestHead>) -> UnixSeconds {
    newest.map_or(UnixSeconds::EPOCH, |newest| {
        newest.ends_at.max(newest.predecessors_end_at)
    })
}

struct Builder {
    version: u64,
    now: UnixSeconds,
    segments: Vec<SegmentRef>,
    tail: OpenTail,
    sealed: Vec<NewSegment>,
}

impl Builder {
    fn retire_old_tail(&mut self) -> Result<(), ListError> {
        if self.tail.is_past(self.now) {
            self.tail = OpenTail::new(self.version, self.now);
        } else if self.tail.is_worth_sealing(self.now) && self.has_room() {
            self.seal()?;
        }
        Ok(())
    }

    /// Appends rows until all are in, or the tail is full and cannot be sealed.
    fn carry(&mut self, outbox: &[OutboxRow]) -> Result<usize, ListError> {
        for (index, row) in outbox.iter().enumerate() {
            let Some(entry) = entry(row) else { continue };
            if !self.tail.has_room(&entry) {
                if !self.has_room() {
                    return Ok(index);
                }
                self.seal()?;
            }
            self.tail.push(entry, row.retain_until, self.now);
        }
        Ok(outbox.len())
    }

    fn has_room(&self) -> bool {
        self.segments.len() < MAX_SEGMENTS
    }

    /// Makes a segment of exactly the tail's entries and begins a new tail.
    fn seal(&mut self) -> Result<(), ListError> {
        let entries: Vec<Entry> = self.tail.tail.entries().collect();
        let segment = build_segment(&entries, 0, self.tail.retain_until, self.now)?;
        self.segments.push(SegmentRef {
            sha256: segment.sha256.clone(),
            count: segment.count,
            until: segment.retain_until,
        });
        self.sealed.push(segment);
        self.tail = OpenTail::new(self.version, self.now);
        Ok(())
    }
}

impl OpenTail {
    fn new(epoch: u64, now: UnixSeconds) -> Self {
        Self {
            epoch,
            tail: Tail::new(),
            started_at: now,
            retain_until: UnixSeconds::EPOCH,
        }
    }

    fn push(&mut self, entry: Entry, retain_until: UnixSeconds, now: UnixSeconds) {
        if self.tail.count() == 0 {
            self.started_at = now;
        }
        self.tail.push(entry);
        self.retain_until = self.retain_until.max(retain_until);
    }

    fn has_room(&self, entry: &Entry) -> bool {
        self.tail.as_bytes().len() + encoded_len(entry) <= MAX_TAIL_BYTES
    }

    /// Whether no living token could still be named in it.
    fn is_past(&self, now: UnixSeconds) -> bool {
        self.tail.count() > 0 && self.retain_until.plus_secs(CLOCK_ERROR_SECS) <= now
    }

    fn is_worth_sealing(&self, now: UnixSeconds) -> bool {
        self.tail.count() >= FEWEST_SEALED_ENTRIES
            && self.started_at.plus_secs(OLDEST_TAIL_SECS) <= now
    }
}

/// The segment of these entries, which may come in any order and more than once.
pub fn build_segment(
    entries: &[Entry],
    level: u64,
    retain_until: UnixSeconds,
    now: UnixSeconds,
) -> Result<NewSegment, ListError> {
    let bytes = Segment::build(entries);
    Ok(NewSegment {
        sha256: Segment::sha256_of(&bytes),
        level,
        count: Segment::parse(bytes.clone())?.count(),
        retain_until,
        bytes,
        sealed_at: now,
    })
}

fn segment_ref(row: &SegmentRow) -> SegmentRef {
    SegmentRef {
        sha256: row.sha256.clone(),
        count: row.count,
        until: row.retain_until,
    }
}

/// `None` for the issuer scope, whose cut-off is in the head itself.
fn entry(row: &OutboxRow) -> Option<Entry> {
    let before = match row.scope {
        Scope::Token | Scope::Session => Before::Always,
        Scope::User => row.before_secs.map_or(Before::Always, |secs| {
            Before::Time(UnixSeconds::from_secs(secs))
        }),
        Scope::Issuer => return None,
    };
    Some(Entry {
        fingerprint: Fingerprint::of(row.scope, &row.issuer, &row.name),
        before,
    })
}

fn own_issuer(
    settings: &ListSettings,
    not_before: Option<UnixSeconds>,
    token_keys: &[TokenKeyRow],
) -> Issuer {
    Issuer {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        typ: ACCESS_TOKEN_TYP.to_owned(),
        algs: keys::algorithms(token_keys),
        max_lifetime: settings.token_lifetime_secs,
        not_before,
        keys: token_keys
            .iter()
            .map(|key| key.public_jwk.clone())
            .collect(),
    }
}
