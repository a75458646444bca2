//! From the bytes of a list message to the list in memory: verify, complete, build aside, swap in.
//!
//! The same for both lanes. Knows no transport: whoever calls brings the bytes and a way to fetch
//! segments. Every borrow of the cache ends before the next await.

use std::cell::RefCell;

use futures_util::future::join_all;
use shared::{
    CheckedSegment, ListError, ListMessage, ListPins, RevocationList, SegmentRef,
    SignatureVerifier, UnixSeconds,
};

use crate::list_cache::{Fault, Lane, ListCache, Swapped};

/// One offer of a list.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    pub message: &'a [u8],
    pub lane: Lane,
    pub now: UnixSeconds,
}

/// Takes the offered list, or says why not. `fetch_segment` brings one segment.
pub async fn take_offer(
    cache: &RefCell<ListCache>,
    offer: Offer<'_>,
    pins: &ListPins,
    verifier: &impl SignatureVerifier,
    fetch_segment: impl AsyncFn(&SegmentRef) -> Result<CheckedSegment, ListError>,
) -> Result<Swapped, Fault> {
    let message = ListMessage::parse(offer.message)?;
    let signed = RevocationList::verify(&message, pins, verifier, offer.now).await?;
    let version = signed.head().ver;
    cache.borrow_mut().note_offer(offer.lane, version)?;
    let current = cache.borrow().current_list();
    let missing = signed.missing_segments(current.as_ref());
    let fetched = fetch_all(missing, fetch_segment).await?;
    // From here on without an await: the tail is appended to the list that is there now.
    let mut cache = cache.borrow_mut();
    let current = cache.current_list();
    let list = signed.build_from_checked(current.as_ref(), &fetched)?;
    Ok(cache.swap_in(list, offer.lane)?)
}

async fn fetch_all(
    missing: Vec<SegmentRef>,
    fetch_segment: impl AsyncFn(&SegmentRef) -> Result<CheckedSegment, ListError>,
) -> Result<Vec<CheckedSegment>, ListError> {
    let fetches = missing
        .into_iter()
        .map(async |segment| fetch_segment(&segment).await);
    join_all(fetches).await.into_iter().collect()
}
