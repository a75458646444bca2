//! One publication, safe to repeat from any step. What counts is one transaction: the list, its
//! segments and the stamps on the rows that it carries are there together or not at all. Whatever
//! comes after it (the pull lane, other replicas, KV) is found again in the database by whoever
//! looks next.

use shared::{HEAD_TYP, ListError, MAX_HEAD_BYTES, Tail, UnixSeconds};

use super::Publisher;
use super::next_list::{ListSettings, ListState, NextList, OpenTail, build_next_list};
use crate::clock::CLOCK_ERROR_SECS;
use crate::fault::{self, Gap};
use crate::keys::{SigningError, turn};
use crate::store::list::{NewHead, StoredList};
use crate::store::tails::TailRow;
use crate::store::token_keys::{self, TokenKeyRow};
use crate::store::{self, Transaction, lease, list, outbox, segments, tails};

/// Rows that one list takes at most, so that no transaction is long.
const BATCH_ROWS: u32 = 4096;

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("another replica publishes")]
    Fenced,
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
    #[error("the list cannot be signed")]
    Signing(#[from] SigningError),
    #[error("what the database holds of the list is damaged: {0}; run `portcullis list verify`")]
    Damaged(#[from] ListError),
    #[error("the head would be longer than edges accept: retire token keys that no token needs")]
    HeadTooLong,
    #[error("a segment is not where it was; run `portcullis list verify`")]
    SegmentLost,
    #[error("a merge of segments died")]
    MergeDied,
}

impl PublishError {
    /// One stable name for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fenced => "publisher_fenced",
            Self::Store(_) => "store_unavailable",
            Self::Signing(_) => "signing_failed",
            Self::Damaged(_) => "list_damaged",
            Self::HeadTooLong => "head_too_long",
            Self::SegmentLost => "segment_lost",
            Self::MergeDied => "merge_died",
        }
    }
}

/// What a publication did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    pub version: u64,
    /// Revocations that this list is the first to carry.
    pub carried: usize,
    pub rest: Rest,
}

/// Whether the outbox was emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    Empty,
    Waiting,
}

/// Publishes a list made at `now`, if this replica holds the lease: stores it and hands it to the
/// pull lane. KV is `deliver`'s.
pub async fn publish_once(
    publisher: &Publisher,
    now: UnixSeconds,
) -> Result<Publication, PublishError> {
    let (list, publication) = store_next_list(publisher, now).await?;
    fault::cross(Gap::Committed);
    publisher.pull_lane.offer(list, &[]);
    fault::cross(Gap::Offered);
    publisher.announcer.announce_list();
    Ok(publication)
}

/// The transaction. A process that dies right after it leaves a list that any replica will find.
pub async fn store_next_list(
    publisher: &Publisher,
    now: UnixSeconds,
) -> Result<(StoredList, Publication), PublishError> {
    let fence = publisher.lease.fence().ok_or(PublishError::Fenced)?;
    let mut tx = store::begin(&publisher.pool).await?;
    if lease::confirm(&mut tx, fence).await?.is_none() {
        publisher.lease.lose();
        return Err(PublishError::Fenced);
    }
    fault::cross(Gap::LeaseConfirmed);
    let token_keys = retire_token_keys(&mut tx, &publisher.settings, now).await?;
    let state = load_state(&mut tx, &publisher.settings.issuer, token_keys, now).await?;
    fault::cross(Gap::StateLoaded);
    let mut ids: Vec<String> = state.outbox.iter().map(|row| row.id.clone()).collect();
    let is_full_batch = ids.len() == BATCH_ROWS as usize;
    let next = build_next_list(&publisher.settings, state, now)?;
    let jws = publisher.keys.list.sign(HEAD_TYP, &next.head.to_json())?;
    fault::cross(Gap::ListSigned);
    if jws.len() > MAX_HEAD_BYTES {
        return Err(PublishError::HeadTooLong);
    }
    let rest = if is_full_batch || next.carried < ids.len() {
        Rest::Waiting
    } else {
        Rest::Empty
    };
    ids.truncate(next.carried);
    save(&mut tx, &next, &jws, &ids).await?;
    fault::cross(Gap::RowsStamped);
    store::commit(tx).await?;
    if !next.sealed.is_empty() {
        publisher.sealed.notify_one();
    }
    let publication = Publication {
        version: next.head.ver,
        carried: next.carried,
        rest,
    };
    Ok((stored_list(&next, jws), publication))
}

async fn load_state(
    tx: &mut Transaction,
    issuer: &str,
    token_keys: Vec<TokenKeyRow>,
    now: UnixSeconds,
) -> Result<ListState, PublishError> {
    let newest = list::find_newest_head(tx).await?;
    let tail = match &newest {
        Some(newest) => tails::find(tx, newest.tail_epoch)
            .await?
            .as_ref()
            .map(open_tail)
            .transpose()?,
        None => None,
    };
    let surely_now = now.minus_secs(CLOCK_ERROR_SECS);
    Ok(ListState {
        newest,
        tail,
        segments: segments::find_live(tx, surely_now).await?,
        outbox: outbox::find_unpublished(tx, BATCH_ROWS).await?,
        not_before: outbox::find_issuer_cut_off(tx, issuer, surely_now).await?,
        token_keys,
    })
}

/// Retires the keys that have done their work; answers with those that remain.
async fn retire_token_keys(
    tx: &mut Transaction,
    settings: &ListSettings,
    now: UnixSeconds,
) -> sqlx::Result<Vec<TokenKeyRow>> {
    let all = token_keys::find_all(&mut **tx).await?;
    let mut remaining = Vec::new();
    for key in all.iter().filter(|key| key.is_live()) {
        if turn::is_over(key, &all, settings.token_lifetime_secs, now) {
            token_keys::retire(tx, &key.kid, now).await?;
        } else {
            remaining.push(key.clone());
        }
    }
    Ok(remaining)
}

fn open_tail(row: &TailRow) -> Result<OpenTail, ListError> {
    Ok(OpenTail {
        epoch: row.epoch,
        tail: Tail::parse(&row.bytes)?,
        started_at: row.started_at,
        retain_until: row.retain_until,
    })
}

async fn save(
    tx: &mut Transaction,
    next: &NextList,
    jws: &str,
    carried_ids: &[String],
) -> sqlx::Result<()> {
    for segment in &next.sealed {
        segments::insert(tx, segment).await?;
    }
    fault::cross(Gap::SegmentsSaved);
    let tail = TailRow {
        epoch: next.tail.epoch,
        bytes: next.tail.tail.as_bytes().to_vec(),
        started_at: next.tail.started_at,
        retain_until: next.tail.retain_until,
    };
    tails::save(tx, &tail).await?;
    fault::cross(Gap::TailSaved);
    list::insert_head(tx, &new_head(next, jws)).await?;
    fault::cross(Gap::HeadSaved);
    let signs_from = turn::signs_from(next.predecessors_end_at, next.head.iat);
    token_keys::mark_listed(tx, next.head.ver, signs_from).await?;
    fault::cross(Gap::KeysMarked);
    outbox::mark_published(tx, carried_ids, next.head.ver).await
}

fn new_head(next: &NextList, jws: &str) -> NewHead {
    NewHead {
        version: next.head.ver,
        issued_at: next.head.iat,
        expires_at: next.head.exp,
        grace_secs: next.head.grace,
        head: jws.to_owned(),
        tail_epoch: next.tail.epoch,
        tail_bytes: next.tail.tail.as_bytes().len() as u64,
        predecessors_end_at: next.predecessors_end_at,
    }
}

fn stored_list(next: &NextList, jws: String) -> StoredList {
    StoredList {
        version: next.head.ver,
        issued_at: next.head.iat,
        expires_at: next.head.exp,
        head: jws,
        tail_epoch: next.tail.epoch,
        tail: next.tail.tail.as_bytes().to_vec(),
    }
}
