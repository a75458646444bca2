//! The origin with a model of its database: tables are vectors, a transaction is a function that
//! returns. What the next list is, which segments become one, what an edge is sent and what the
//! signatures are, the origin's own code says.

use std::collections::BTreeMap;

use origin::clock::CLOCK_ERROR_SECS;
use origin::keys::SigningKey;
use origin::publisher::merge_plan::{choose_merge, merge_segments};
use origin::publisher::next_list::{ListSettings, ListState, NextList, OpenTail, build_next_list};
use origin::publisher::published_list::PublishedList;
use origin::store::list::NewestHead;
use origin::store::list::StoredList;
use origin::store::outbox::OutboxRow;
use origin::store::segments::{NewSegment, SegmentRow};
use serde_json::json;
use shared::{
    Algorithm, HEAD_TYP, Head, KeySet, LEEWAY_SECS, ListPins, Scope, UnixSeconds, retain_until,
};

use crate::token_keys::TokenKeys;
use crate::truth::{Token, subject};

pub const ISSUER: &str = "https://issuer.model";
pub const HEARTBEAT_SECS: u64 = 15;
const AUDIENCE: &str = "model";
/// Short, so that revocations outlive their use within a history; long enough for some merges.
const TOKEN_LIFETIME_SECS: u64 = 1_500;
const LIST_LIFETIME_SECS: u64 = 180;
/// Short, so that it hides no bound that is missed by little.
const GRACE_SECS: u64 = 5;

const LIST_KEY: &str = include_str!("../../corpus/keys/list.pem");

#[derive(Debug)]
pub struct Origin {
    settings: ListSettings,
    pub keys: TokenKeys,
    list_key: SigningKey,
    issued: BTreeMap<String, Token>,
    rows: Vec<Row>,
    newest: Option<NewestHead>,
    tail: Option<OpenTail>,
    segments: Vec<StoredSegment>,
    published: Option<PublishedList>,
    /// Of each version, when the last edge stopped using any list before it.
    predecessors_end_at: BTreeMap<u64, UnixSeconds>,
}

/// A revocation as whoever wants it says it.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub scope: Scope,
    pub name: &'a str,
    pub before_secs: Option<u64>,
    /// When the last token that it concerns can have been made.
    pub last_token_at: UnixSeconds,
    pub recorded_at: UnixSeconds,
}

/// What a receipt says first.
#[derive(Debug)]
pub struct Recorded {
    pub row: usize,
    pub effective_by: UnixSeconds,
}

/// A row of `revocations`.
#[derive(Debug)]
struct Row {
    outbox: OutboxRow,
    version: Option<u64>,
}

/// A row of `list_segments`. Retired ones stay: a head that an edge still has may name them.
#[derive(Debug)]
struct StoredSegment {
    row: SegmentRow,
    bytes: Vec<u8>,
    is_retired: bool,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            settings: ListSettings {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                token_lifetime_secs: TOKEN_LIFETIME_SECS,
                lifetime_secs: LIST_LIFETIME_SECS,
                grace_secs: GRACE_SECS,
            },
            keys: TokenKeys::default(),
            list_key: SigningKey::from_pem(Algorithm::EdDsa, LIST_KEY).unwrap(),
            issued: BTreeMap::new(),
            rows: Vec::new(),
            newest: None,
            tail: None,
            segments: Vec::new(),
            published: None,
            predecessors_end_at: BTreeMap::new(),
        }
    }
}

impl Origin {
    /// What edges pin.
    #[must_use]
    pub fn pins(&self) -> ListPins {
        let keys = json!({ "keys": [self.list_key.public_jwk()] });
        ListPins {
            issuer: ISSUER.to_owned(),
            keys: KeySet::from_value(&keys).unwrap(),
        }
    }

    /// `None` while no key may sign.
    pub fn issue(&mut self, user: usize, sid: &str, jti: &str, now: UnixSeconds) -> Option<Token> {
        let iat_secs = now.as_secs();
        let exp = iat_secs + TOKEN_LIFETIME_SECS;
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject(user), "sid": sid, "jti": jti,
            "client_id": "web", "iat": iat_secs, "exp": exp,
        });
        let (text, kid) = self.keys.sign(&claims.to_string(), now)?;
        let token = Token {
            text,
            kid,
            jti: jti.to_owned(),
            sid: sid.to_owned(),
            user,
            iat_secs,
            exp: UnixSeconds::from_secs(exp),
        };
        self.issued.insert(token.text.clone(), token.clone());
        Some(token)
    }

    /// Commits a revocation.
    pub fn record(&mut self, order: Order<'_>) -> Recorded {
        let latest_exp = order.last_token_at.plus_secs(TOKEN_LIFETIME_SECS);
        self.rows.push(Row {
            outbox: OutboxRow {
                id: self.rows.len().to_string(),
                scope: order.scope,
                issuer: ISSUER.to_owned(),
                name: order.name.to_owned(),
                before_secs: order.before_secs,
                retain_until: retain_until(latest_exp),
            },
            version: None,
        });
        Recorded {
            row: self.rows.len() - 1,
            effective_by: self.effective_by(order.recorded_at),
        }
    }

    /// The answer to an edge that asks about a token (RFC 7662, section 2.2), and its `Cache-Control`.
    #[must_use]
    pub fn introspect(&self, text: &str, now: UnixSeconds) -> (Vec<u8>, String) {
        let active = self.issued.get(text).filter(|token| {
            let is_ahead = token.iat_secs > now.plus_secs(LEEWAY_SECS).as_secs();
            let is_over = now >= token.exp.plus_secs(LEEWAY_SECS);
            let is_signed = self.keys.is_live(&token.kid);
            is_signed && !is_ahead && !is_over && !self.is_revoked(token)
        });
        let body = match active {
            Some(token) => json!({
                "active": true, "sub": subject(token.user), "sid": token.sid, "jti": token.jti,
                "exp": token.exp.as_secs(),
            }),
            None => json!({ "active": false }),
        };
        let published = self.published.as_ref();
        let secs = published.map_or(0, |list| list.secs_to_believe(now));
        (
            body.to_string().into_bytes(),
            format!("private, max-age={secs}"),
        )
    }

    fn is_revoked(&self, token: &Token) -> bool {
        let mut rows = self.rows.iter().map(|row| &row.outbox);
        rows.any(|row| {
            let (names, is_old) = (
                [&token.jti, &token.sid, &subject(token.user), ISSUER],
                row.before_secs.is_none_or(|secs| token.iat_secs < secs),
            );
            names.contains(&row.name.as_str()) && is_old
        })
    }

    /// As `origin::revocation` computes it, from the lists that may be out.
    #[must_use]
    pub fn effective_by(&self, now: UnixSeconds) -> UnixSeconds {
        let end_of_one_made_now = now.plus_secs(LIST_LIFETIME_SECS + GRACE_SECS);
        self.newest.map_or(end_of_one_made_now, |newest| {
            let lists_end = newest.ends_at.max(newest.predecessors_end_at);
            lists_end.plus_secs(HEARTBEAT_SECS).max(end_of_one_made_now)
        })
    }

    /// One publication: the list and the stamps on the rows it carries, together.
    pub fn commit_next_list(&mut self, now: UnixSeconds) -> Head {
        let unpublished = self.rows.iter().filter(|row| row.version.is_none());
        let outbox: Vec<OutboxRow> = unpublished.map(|row| row.outbox.clone()).collect();
        let surely_now = now.minus_secs(CLOCK_ERROR_SECS);
        let state = ListState {
            newest: self.newest,
            tail: self.tail.clone(),
            segments: self.live_segments(surely_now),
            outbox,
            not_before: self.issuer_cut_off(surely_now),
            token_keys: self.keys.retire_and_list(TOKEN_LIFETIME_SECS, now),
        };
        let next = build_next_list(&self.settings, state, now).unwrap();
        let jws = self.list_key.sign(HEAD_TYP, &next.head.to_json()).unwrap();
        let head = next.head.clone();
        self.save(next, jws);
        head
    }

    fn save(&mut self, next: NextList, jws: String) {
        let unpublished = self.rows.iter_mut().filter(|row| row.version.is_none());
        for row in unpublished.take(next.carried) {
            row.version = Some(next.head.ver);
        }
        self.predecessors_end_at
            .insert(next.head.ver, next.predecessors_end_at);
        self.keys
            .mark_listed(next.head.ver, next.predecessors_end_at, next.head.iat);
        self.newest = Some(NewestHead {
            version: next.head.ver,
            tail_epoch: next.tail.epoch,
            ends_at: next.head.exp.plus_secs(next.head.grace),
            predecessors_end_at: next.predecessors_end_at,
        });
        let list = StoredList {
            version: next.head.ver,
            issued_at: next.head.iat,
            expires_at: next.head.exp,
            head: jws,
            tail_epoch: next.tail.epoch,
            tail: next.tail.tail.as_bytes().to_vec(),
        };
        self.published = Some(PublishedList::after(self.published.as_ref(), list, &[]));
        self.tail = Some(next.tail);
        next.sealed
            .into_iter()
            .for_each(|segment| self.store(segment));
    }

    /// Makes every merge that the plan asks for, and says how many.
    pub fn merge(&mut self, now: UnixSeconds) -> u64 {
        let mut merges = 0;
        while let Some(chosen) = choose_merge(&self.live_segments(now.minus_secs(CLOCK_ERROR_SECS)))
        {
            let mut parts = Vec::new();
            for stored in self
                .segments
                .iter_mut()
                .filter(|stored| chosen.contains(&stored.row))
            {
                stored.is_retired = true;
                parts.push((stored.row.clone(), stored.bytes.clone()));
            }
            self.store(merge_segments(parts, now).unwrap());
            merges += 1;
        }
        merges
    }

    fn store(&mut self, new: NewSegment) {
        self.segments
            .retain(|stored| stored.row.sha256 != new.sha256);
        self.segments.push(StoredSegment {
            row: SegmentRow {
                sha256: new.sha256,
                level: new.level,
                count: new.count,
                retain_until: new.retain_until,
                delivered_at: None,
            },
            bytes: new.bytes,
            is_retired: false,
        });
    }

    fn live_segments(&self, now: UnixSeconds) -> Vec<SegmentRow> {
        let live = self
            .segments
            .iter()
            .filter(|stored| !stored.is_retired && stored.row.retain_until > now);
        live.map(|stored| stored.row.clone()).collect()
    }

    fn issuer_cut_off(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        let rows = self.rows.iter().map(|row| &row.outbox);
        rows.filter(|row| row.scope == Scope::Issuer && row.retain_until > now)
            .filter_map(|row| row.before_secs)
            .max()
            .map(UnixSeconds::from_secs)
    }

    /// The newest list, as the pull lane holds it.
    #[must_use]
    pub fn published(&self) -> Option<&PublishedList> {
        self.published.as_ref()
    }

    #[must_use]
    pub fn find_segment(&self, sha256: &str) -> Option<&[u8]> {
        let stored = self
            .segments
            .iter()
            .find(|stored| stored.row.sha256 == sha256);
        stored.map(|stored| stored.bytes.as_slice())
    }

    /// Every segment that a head may name, with its bytes.
    pub fn segments(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.segments
            .iter()
            .map(|stored| (stored.row.sha256.as_str(), stored.bytes.as_slice()))
    }

    /// When the last edge stopped using a list with the revoked key.
    #[must_use]
    pub fn end_of_lists_with_key(&self, kid: &str) -> Option<UnixSeconds> {
        let version = self.keys.version_without(kid)?;
        self.predecessors_end_at.get(&version).copied()
    }

    /// When the last edge stopped using a list without this revocation: once it is published, a fact.
    #[must_use]
    pub fn end_of_lists_without(&self, row: usize) -> Option<UnixSeconds> {
        let row = self.rows.get(row)?;
        self.predecessors_end_at.get(&row.version?).copied()
    }
}
