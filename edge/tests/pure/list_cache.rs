//! What the isolate does with the lists that it is offered, good and bad.

use std::cell::RefCell;

use crate::support::{ISSUER, ListSpec, NOW, STRANGER, pins};
use edge::lanes::LaneError;
use edge::list_cache::{Fault, Lane, ListCache, Notice, Swapped};
use edge::list_intake::{Offer, take_offer};
use serde_json::json;
use shared::{
    CheckedSegment, Entry, ListError, ListMessage, NativeVerifier, Segment, SegmentRef, TokenId,
    UnixSeconds, verify_now,
};

fn entry(jti: &str) -> Entry {
    Entry::token(ISSUER, &TokenId::parse(jti).unwrap())
}

fn offer(cache: &RefCell<ListCache>, message: &ListMessage) -> Result<Swapped, Fault> {
    offer_bytes(cache, message.to_json().as_bytes(), &[])
}

fn offer_bytes(
    cache: &RefCell<ListCache>,
    message: &[u8],
    segments: &[Vec<u8>],
) -> Result<Swapped, Fault> {
    let fetch = async |wanted: &SegmentRef| {
        let is_wanted = |bytes: &&Vec<u8>| Segment::sha256_of(bytes) == wanted.sha256;
        let bytes = segments.iter().find(is_wanted);
        let bytes = bytes.ok_or(ListError::SegmentMissing)?.clone();
        CheckedSegment::check(wanted, bytes)
    };
    let offer = Offer {
        message,
        lane: Lane::Pull,
        now: NOW,
    };
    verify_now(take_offer(cache, offer, &pins(), &NativeVerifier, fetch))
}

fn with_version(ver: u64, entries: &[&str]) -> ListSpec {
    ListSpec {
        ver,
        entries: entries.iter().map(|jti| entry(jti)).collect(),
        ..ListSpec::default()
    }
}

fn held_version(cache: &RefCell<ListCache>) -> u64 {
    cache.borrow().version()
}

#[test]
fn takes_a_newer_list_and_its_entries() {
    let cache = RefCell::default();
    assert_eq!(
        offer(&cache, &with_version(1, &[]).message()),
        Ok(Swapped::IssuersChanged)
    );
    assert_eq!(
        offer(&cache, &with_version(2, &["a"]).message()),
        Ok(Swapped::SameIssuers)
    );
    let list = cache.borrow().current_list().unwrap();
    assert_eq!((list.version(), list.entry_count()), (2, 1));
}

#[test]
fn takes_only_the_new_end_of_the_tail() {
    let cache = RefCell::default();
    offer(&cache, &with_version(1, &["a"]).message()).unwrap();
    let held = with_version(1, &["a"]).tail().as_bytes().len();
    let suffix = with_version(2, &["a", "b"]).message_from(held);
    assert_eq!(offer(&cache, &suffix), Ok(Swapped::SameIssuers));
    assert_eq!(cache.borrow().current_list().unwrap().entry_count(), 2);
}

#[test]
fn refuses_a_suffix_that_does_not_fit_the_tail_it_holds() {
    let cache = RefCell::default();
    offer(&cache, &with_version(1, &["other"]).message()).unwrap();
    let held = with_version(1, &["a"]).tail().as_bytes().len();
    let suffix = with_version(2, &["a", "b"]).message_from(held);
    assert_eq!(
        offer(&cache, &suffix),
        Err(Fault::List(ListError::TailMismatch))
    );
    assert_eq!(held_version(&cache), 1);
}

#[test]
fn never_goes_back() {
    let cache = RefCell::default();
    offer(&cache, &with_version(5, &["a"]).message()).unwrap();
    for (ver, error) in [
        (4, Fault::RolledBack),
        (5, Fault::List(ListError::NotNewer)),
    ] {
        let list = with_version(ver, &["a"]);
        assert_eq!(offer(&cache, &list.message()), Err(error), "version {ver}");
    }
    assert_eq!(
        offer(&cache, &with_version(5, &[]).message()),
        Err(Fault::List(ListError::VersionConflict))
    );
    assert_eq!(held_version(&cache), 5);
}

#[test]
fn tells_a_lane_that_went_back_from_one_that_is_behind() {
    let cache = RefCell::new(ListCache::default());
    let offer_by = |lane, ver| {
        let message = with_version(ver, &[]).message().to_json();
        let offer = Offer {
            message: message.as_bytes(),
            lane,
            now: NOW,
        };
        let fetch = async |_: &SegmentRef| Err(ListError::SegmentMissing);
        verify_now(take_offer(&cache, offer, &pins(), &NativeVerifier, fetch))
    };
    offer_by(Lane::Pull, 5).unwrap();
    assert_eq!(offer_by(Lane::Kv, 3), Err(Fault::List(ListError::NotNewer)));
    assert_eq!(offer_by(Lane::Kv, 4), Err(Fault::List(ListError::NotNewer)));
    assert_eq!(offer_by(Lane::Kv, 3), Err(Fault::RolledBack));
    assert_eq!(offer_by(Lane::Pull, 4), Err(Fault::RolledBack));
    assert_eq!(held_version(&cache), 5);
}

#[test]
fn keeps_the_last_good_list_when_it_is_offered_a_bad_one() {
    let cache = RefCell::default();
    offer(&cache, &with_version(1, &[]).message()).unwrap();
    let forged = ListSpec {
        signed_by: STRANGER,
        ..with_version(2, &[])
    }
    .message();
    assert_eq!(
        offer(&cache, &forged),
        Err(Fault::List(ListError::HeadKeyUnknown))
    );
    let ended = ListSpec {
        made_at: UnixSeconds::from_secs(1_000),
        ..with_version(3, &[])
    }
    .message();
    assert_eq!(
        offer(&cache, &ended),
        Err(Fault::List(ListError::HeadExpired))
    );
    let whole = with_version(4, &["a"]).message().to_json();
    let truncated = &whole.as_bytes()[..whole.len() / 2];
    assert_eq!(
        offer_bytes(&cache, truncated, &[]),
        Err(Fault::List(ListError::MessageMalformed))
    );
    let overlong = vec![b' '; shared::MAX_MESSAGE_BYTES + 1];
    assert_eq!(
        offer_bytes(&cache, &overlong, &[]),
        Err(Fault::List(ListError::MessageTooLong))
    );
    assert_eq!(held_version(&cache), 1);
}

#[test]
fn fetches_the_segments_that_it_lacks_and_checks_them() {
    let bytes = Segment::build(&[entry("a"), entry("b")]);
    let until = NOW.as_secs() + 3600;
    let spec = ListSpec {
        segments: json!([{ "sha256": Segment::sha256_of(&bytes), "count": 2, "until": until }]),
        ..with_version(1, &[])
    };
    let message = spec.message().to_json();
    let cache = RefCell::default();
    let none = offer_bytes(&cache, message.as_bytes(), &[]);
    assert_eq!(none, Err(Fault::List(ListError::SegmentMissing)));
    offer_bytes(&cache, message.as_bytes(), std::slice::from_ref(&bytes)).unwrap();
    assert_eq!(cache.borrow().current_list().unwrap().entry_count(), 2);
    // The next list names the same segment: nothing to fetch.
    let next = ListSpec { ver: 2, ..spec }.message();
    assert_eq!(offer(&cache, &next), Ok(Swapped::SameIssuers));
}

#[test]
fn says_when_issuers_change_so_that_what_was_verified_is_forgotten() {
    let cache = RefCell::default();
    offer(&cache, &with_version(1, &[]).message()).unwrap();
    let rotated = ListSpec {
        token_key: STRANGER,
        ..with_version(2, &[])
    };
    assert_eq!(
        offer(&cache, &rotated.message()),
        Ok(Swapped::IssuersChanged)
    );
}

#[test]
fn takes_no_list_that_was_overtaken_while_it_was_built() {
    let mut cache = ListCache::default();
    cache
        .swap_in(with_version(3, &[]).list(), Lane::Pull)
        .unwrap();
    let late = cache.swap_in(with_version(2, &[]).list(), Lane::Kv);
    assert_eq!(late, Err(ListError::NotNewer));
    assert_eq!(cache.current().unwrap().lane, Lane::Pull);
}

#[test]
fn counts_every_fault_and_reports_only_a_lanes_new_one() {
    let mut cache = ListCache::default();
    let forged = Fault::List(ListError::HeadSignatureInvalid);
    let silent = Fault::Lane(LaneError::TimedOut);
    assert_eq!(cache.count_fault(Lane::Kv, forged), Notice::New);
    assert_eq!(cache.count_fault(Lane::Pull, silent), Notice::New);
    assert_eq!(cache.count_fault(Lane::Kv, forged), Notice::None);
    assert_eq!(cache.count_fault(Lane::Pull, silent), Notice::None);
    assert_eq!(cache.count_fault(Lane::Kv, silent), Notice::New);
    cache.note_good(Lane::Pull);
    assert_eq!(cache.count_fault(Lane::Pull, silent), Notice::New);
    let counted: Vec<_> = cache
        .faults()
        .iter()
        .map(|(code, count)| (*code, *count))
        .collect();
    assert_eq!(
        counted,
        [("lane_timed_out", 4), ("list_head_signature_invalid", 2)]
    );
}

#[test]
fn says_once_that_its_clock_is_behind() {
    let mut cache = ListCache::default();
    cache
        .swap_in(with_version(1, &[]).list(), Lane::Pull)
        .unwrap();
    assert_eq!(cache.note_clock(NOW.minus_secs(30)), Notice::None);
    assert_eq!(cache.note_clock(NOW.minus_secs(31)), Notice::New);
    assert_eq!(cache.note_clock(NOW.minus_secs(32)), Notice::None);
    assert_eq!(cache.note_clock(NOW), Notice::None);
    assert_eq!(cache.note_clock(NOW.minus_secs(60)), Notice::New);
}
