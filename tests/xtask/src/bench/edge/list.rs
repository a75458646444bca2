//! A revocation list at its worst for a request: of each size as many segments as the publisher's
//! merging ever leaves, and a tail. Its names are random, so that no live token is on it and every look-up goes through
//! all of it.

use anyhow::Context;
use aws_lc_rs::rand;
use serde_json::Value;
use shared::{
    Algorithm, Before, Entry, Fingerprint, HEAD_TYP, Head, Issuer, ListMessage, Segment,
    SegmentRef, Tail, TailRef, UnixSeconds,
};

use super::tokens::{self, ISSUER};
use crate::bench::signer::Signer;

/// How many segments, and how many entries in each: with the tail a million.
const SEGMENTS: [(usize, usize); 4] = [(1, 540_000), (3, 116_500), (3, 29_100), (3, 7_280)];
const TAIL_ENTRIES: usize = 2_000;
/// Every tenth entry is a user's cut-off, the others name a token or a session.
const CUT_OFF_EVERY: usize = 10;
const LIST_LIFETIME_SECS: u64 = 180;

pub(super) struct RevokedMillion {
    signer: Signer,
    issuer: Issuer,
    segments: Vec<(SegmentRef, Vec<u8>)>,
    tail: Tail,
}

impl RevokedMillion {
    pub(super) fn build(token_keys: &Value, now: UnixSeconds) -> anyhow::Result<Self> {
        let until = now.plus_secs(tokens::LIFETIME_SECS + shared::LEEWAY_SECS);
        let mut segments = Vec::new();
        for (count, entries) in SEGMENTS {
            for _ in 0..count {
                segments.push(build_segment(entries, until, now)?);
            }
        }
        let mut tail = Tail::new();
        for entry in random_entries(TAIL_ENTRIES, now)? {
            tail.push(entry);
        }
        Ok(Self {
            signer: Signer::generate(Algorithm::EdDsa, "bench-list")?,
            issuer: trusted_issuer(token_keys),
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

    pub(super) fn find_segment(&self, sha256: &str) -> Option<&[u8]> {
        let (_, bytes) = self
            .segments
            .iter()
            .find(|(known, _)| known.sha256 == sha256)?;
        Some(bytes)
    }

    /// The list as it is published at `now`, whole; its version is the time in milliseconds.
    pub(super) fn sign_message(&self, now: UnixSeconds) -> anyhow::Result<ListMessage> {
        let head = Head {
            iss: ISSUER.to_owned(),
            iat: now,
            exp: now.plus_secs(LIST_LIFETIME_SECS),
            ver: now.as_millis(),
            issuers: vec![self.issuer.clone()],
            grace: 0,
            segments: self.segments.iter().map(|(part, _)| part.clone()).collect(),
            tail: TailRef {
                sha256: self.tail.sha256(),
                count: self.tail.count(),
            },
        };
        Ok(ListMessage {
            head: self.signer.sign(HEAD_TYP, &head.to_json())?,
            from: 0,
            tail: self.tail.as_bytes().to_vec(),
        })
    }

    pub(super) fn tail_bytes(&self) -> u64 {
        self.tail.as_bytes().len() as u64
    }
}

fn trusted_issuer(token_keys: &Value) -> Issuer {
    Issuer {
        iss: ISSUER.to_owned(),
        aud: tokens::AUDIENCE.to_owned(),
        typ: "at+jwt".to_owned(),
        algs: tokens::ALGORITHMS.to_vec(),
        max_lifetime: tokens::LIFETIME_SECS,
        not_before: None,
        keys: token_keys["keys"].clone(),
    }
}

fn build_segment(
    entries: usize,
    until: UnixSeconds,
    now: UnixSeconds,
) -> anyhow::Result<(SegmentRef, Vec<u8>)> {
    let entries = random_entries(entries, now)?;
    let bytes = Segment::build(&entries);
    let reference = SegmentRef {
        sha256: Segment::sha256_of(&bytes),
        count: Segment::parse(bytes.clone())?.count(),
        until,
    };
    Ok((reference, bytes))
}

fn random_entries(count: usize, now: UnixSeconds) -> anyhow::Result<Vec<Entry>> {
    let mut bytes = vec![0; count * 8];
    rand::fill(&mut bytes).ok().context("no random numbers")?;
    let (names, _) = bytes.as_chunks::<8>();
    let entry = |(index, name): (usize, &[u8; 8])| Entry {
        fingerprint: Fingerprint(u64::from_le_bytes(*name)),
        before: if index % CUT_OFF_EVERY == 0 {
            Before::Time(now)
        } else {
            Before::Always
        },
    };
    Ok(names.iter().enumerate().map(entry).collect())
}
