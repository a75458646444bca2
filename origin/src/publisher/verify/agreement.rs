//! The copies of the list against the database: which heads and segments it knows, and whether every
//! revocation that is out is found. Rows are read in pages: there may be millions.

use std::collections::HashSet;

use shared::{Before, Fingerprint, Scope, Tail, UnixSeconds};
use sqlx::AnyPool;

use super::copy::Copy;
use super::finding::Finding;
use crate::store::list_rows::{self, PublishedRow};
use crate::store::segments;

/// Rows are kept for as long past their end (see `housekeeping`), so a younger tail is explained by
/// rows that are there.
const ROWS_KEPT_SECS: u64 = 3600;
const ROWS_A_PAGE: u32 = 10_000;

pub(super) async fn find_differences(
    pool: &AnyPool,
    copies: &[Copy],
    newest: Option<u64>,
    now: UnixSeconds,
) -> sqlx::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for copy in copies {
        findings.extend(find_difference_of_head(pool, copy, newest).await?);
        for segment in &copy.list.head().segments {
            if !segments::exists(pool, &segment.sha256).await? {
                findings.push(Finding::UnknownSegment {
                    lane: copy.lane,
                    sha256: segment.sha256.clone(),
                });
            }
        }
    }
    findings.extend(find_differences_of_entries(pool, copies, now).await?);
    Ok(findings)
}

async fn find_difference_of_head(
    pool: &AnyPool,
    copy: &Copy,
    newest: Option<u64>,
) -> sqlx::Result<Option<Finding>> {
    let (lane, version) = (copy.lane, copy.list.version());
    let Some(stored) = list_rows::find_head(pool, version).await? else {
        return Ok(Some(Finding::UnknownVersion { lane, version }));
    };
    // The text of older heads is forgotten.
    if !stored.is_empty() && stored != copy.head {
        return Ok(Some(Finding::OtherHead { lane, version }));
    }
    let newer = newest.filter(|newest| *newest > version);
    let Some(newer) = newer else { return Ok(None) };
    let issued_at = list_rows::find_issued_at(pool, newer).await?;
    Ok(issued_at.map(|issued_at| Finding::Behind {
        lane,
        version,
        behind_secs: issued_at.secs_since(copy.list.head().iat),
    }))
}

async fn find_differences_of_entries(
    pool: &AnyPool,
    copies: &[Copy],
    now: UnixSeconds,
) -> sqlx::Result<Vec<Finding>> {
    let mut tallies: Vec<Tally<'_>> = copies.iter().map(Tally::of).collect();
    let mut after = String::new();
    loop {
        let rows = list_rows::find_published(pool, &after, ROWS_A_PAGE).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for tally in &mut tallies {
            for row in &rows {
                tally.count(row, now);
            }
        }
    }
    let tail_began_at = list_rows::find_tail_began_at(pool).await?;
    let is_explained = tail_began_at.is_some_and(|at| at.plus_secs(ROWS_KEPT_SECS) > now);
    let findings = tallies
        .iter()
        .flat_map(|tally| tally.findings(is_explained));
    Ok(findings.collect())
}

/// What one copy lacks, and what of its tail no row has explained yet.
struct Tally<'c> {
    copy: &'c Copy,
    lacking: u64,
    example: Option<String>,
    unexplained: HashSet<Fingerprint>,
}

impl<'c> Tally<'c> {
    fn of(copy: &'c Copy) -> Self {
        // A list that was built has a tail that can be read.
        let tail = Tail::parse(&copy.tail).unwrap_or_default();
        Self {
            copy,
            lacking: 0,
            example: None,
            unexplained: tail.entries().map(|entry| entry.fingerprint).collect(),
        }
    }

    fn count(&mut self, row: &PublishedRow, now: UnixSeconds) {
        let fingerprint = Fingerprint::of(row.scope, &row.issuer, &row.name);
        self.unexplained.remove(&fingerprint);
        let should_be_there = row.version <= self.copy.list.version() && now < row.retain_until;
        if should_be_there && !self.carries(row, fingerprint) {
            self.lacking += 1;
            self.example.get_or_insert_with(|| row.id.clone());
        }
    }

    fn carries(&self, row: &PublishedRow, fingerprint: Fingerprint) -> bool {
        let list = &self.copy.list;
        let before = row.before_secs.map(UnixSeconds::from_secs);
        match row.scope {
            Scope::Issuer => list
                .issuer(&row.issuer)
                .is_some_and(|issuer| issuer.not_before >= before),
            Scope::Token | Scope::Session | Scope::User => {
                let wanted = before.map_or(Before::Always, Before::Time);
                list.find(fingerprint).is_some_and(|found| found >= wanted)
            }
        }
    }

    fn findings(&self, tail_is_explained: bool) -> Vec<Finding> {
        let lane = self.copy.lane;
        let mut findings = Vec::new();
        if let Some(example) = &self.example {
            findings.push(Finding::RevocationsLacking {
                lane,
                count: self.lacking,
                example: example.clone(),
            });
        }
        if tail_is_explained && !self.unexplained.is_empty() {
            findings.push(Finding::EntriesUnexplained {
                lane,
                count: self.unexplained.len() as u64,
            });
        }
        findings
    }
}
