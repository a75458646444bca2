//! Any bytes as a segment, and any entries in one.
#![no_main]

use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use shared::{Before, CheckedSegment, Entry, Fingerprint, Segment, SegmentRef, UnixSeconds};

fuzz_target!(|input: &[u8]| {
    if let Ok(segment) = Segment::parse(input.to_vec()) {
        assert_eq!(segment.entries().count() as u64, segment.count());
        for name in [0, 1, u64::MAX, 1 << 63] {
            black_box(segment.find(Fingerprint(name)));
        }
        let checked = checked(input);
        assert_eq!(checked.count(), segment.count());
        for entry in segment.entries() {
            let found = segment.find(entry.fingerprint);
            assert_eq!(checked.find(entry.fingerprint), found);
        }
    }
    let entries: Vec<_> = input.chunks_exact(9).map(entry).collect();
    let bytes = Segment::build(&entries);
    let checked = checked(&bytes);
    let segment = Segment::parse(bytes).expect("what is built is sound");
    for entry in &entries {
        let latest = entries
            .iter()
            .filter(|other| other.fingerprint == entry.fingerprint)
            .map(|other| other.before)
            .max();
        assert_eq!(segment.find(entry.fingerprint), latest);
        assert_eq!(checked.find(entry.fingerprint), latest);
        assert!(
            segment
                .entries()
                .any(|held| held.fingerprint == entry.fingerprint)
        );
    }
});

/// As a list holds it: with a filter before it.
fn checked(bytes: &[u8]) -> CheckedSegment {
    let reference = SegmentRef {
        sha256: Segment::sha256_of(bytes),
        count: 0,
        until: UnixSeconds::EPOCH,
    };
    CheckedSegment::check(&reference, bytes.to_vec()).expect("sound, and what was named")
}

fn entry(bytes: &[u8]) -> Entry {
    let name = bytes[..8]
        .iter()
        .fold(0, |name, byte| name << 8 | u64::from(*byte));
    let before = match bytes[8] {
        0..128 => Before::Always,
        secs => Before::Time(UnixSeconds::from_secs(u64::from(secs))),
    };
    Entry {
        // A segment keeps the first 56 bits: two names that differ only in the last are one there.
        fingerprint: Fingerprint(name << 8),
        before,
    }
}
