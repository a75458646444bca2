//! The gaps between two steps of publishing, each by name. A build with the feature `fault-points`
//! dies in the one that a test chose; in every other build crossing a gap is nothing at all.

macro_rules! gaps {
    ($($(#[doc = $doc:literal])+ $gap:ident = $name:literal,)+) => {
        /// What was done last when the process dies here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Gap {
            $($(#[doc = $doc])+ $gap,)+
        }

        impl Gap {
            /// Every gap: a test kills an origin in each, and fails for one that is never crossed.
            pub const ALL: &[Self] = &[$(Self::$gap),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$gap => $name),+
                }
            }
        }
    };
}

gaps! {
    /// The lease is this replica's in the database, which does not know it yet.
    LeaseTaken = "lease_taken",
    /// The transaction holds the lease's row.
    LeaseConfirmed = "lease_confirmed",
    /// The outbox and the list so far are read.
    StateLoaded = "state_loaded",
    /// The next list is signed, and nowhere but in memory.
    ListSigned = "list_signed",
    /// Sealed segments are written, not committed.
    SegmentsSaved = "segments_saved",
    /// The tail is written as well.
    TailSaved = "tail_saved",
    /// The head is written as well.
    HeadSaved = "head_saved",
    /// The token keys know that this head lists them.
    KeysMarked = "keys_marked",
    /// The rows are stamped; only the commit is missing.
    RowsStamped = "rows_stamped",
    /// The list is stored, and nobody was told.
    Committed = "committed",
    /// Those who wait on this replica were told.
    Offered = "offered",
    /// KV has a segment, and its row does not say so.
    SegmentPut = "segment_put",
    /// The row of a segment says that KV has it; the head is not there yet.
    SegmentMarked = "segment_marked",
    /// KV has the head, and its row does not say so.
    HeadPut = "head_put",
    /// All is done.
    HeadMarked = "head_marked",
    /// The parts of a merge are retired, not committed.
    PartsRetired = "parts_retired",
    /// The merged segment is written as well.
    MergeSaved = "merge_saved",
    /// The merge is committed; no head names its outcome yet.
    MergeCommitted = "merge_committed",
}

#[cfg(not(feature = "fault-points"))]
pub(crate) fn cross(_: Gap) {}

/// Dies if the file that `PORTCULLIS_FAULT_FILE` names holds the name of this gap: a test writes it
/// when it wants the process gone.
#[cfg(feature = "fault-points")]
pub(crate) fn cross(gap: Gap) {
    let armed = std::env::var_os("PORTCULLIS_FAULT_FILE").map(std::fs::read_to_string);
    if armed.is_some_and(|text| text.is_ok_and(|text| text == gap.name())) {
        eprintln!("dies after {}", gap.name());
        std::process::abort();
    }
}
