//! A segment as a list holds it: with a filter, so that a name that is not there, as nearly all that are
//! asked for, costs one read of memory and not a search of two sets.

use super::name_filter::NameFilter;
use super::{Segment, name_of};
use crate::error::ListError;
use crate::revocation::entry::{Before, Fingerprint};

#[derive(Clone, Debug)]
pub(in crate::revocation) struct SearchableSegment {
    filter: NameFilter,
    segment: Segment,
}

impl SearchableSegment {
    /// Reads a segment and, once, all its names, of which it has no more than its bytes have room for.
    pub(in crate::revocation) fn parse(bytes: Vec<u8>) -> Result<Self, ListError> {
        let segment = Segment::parse(bytes)?;
        let filter = NameFilter::build(&segment.bytes, [&segment.names, &segment.cut_offs]);
        Ok(Self { filter, segment })
    }

    #[inline]
    pub(in crate::revocation) fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        if self.filter.may_hold(name_of(fingerprint)) {
            self.segment.find(fingerprint)
        } else {
            None
        }
    }

    pub(in crate::revocation) fn count(&self) -> u64 {
        self.segment.count()
    }
}
