//! What a segment finds at every size, what its bytes are, and which bytes it refuses.

use super::*;

fn mixed(count: u64) -> Vec<Entry> {
    let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..count)
        .map(|n| {
            let time = UnixSeconds::from_secs(1_000 + n);
            let before = if n % 7 == 0 {
                Before::Time(time)
            } else {
                Before::Always
            };
            Entry {
                fingerprint: Fingerprint(spread(n)),
                before,
            }
        })
        .collect()
}

#[test]
fn finds_every_entry_and_nothing_else_at_every_size() {
    for count in [0, 1, 2, 15, 16, 17, 1_000, 20_000] {
        let entries = mixed(count);
        let segment = Segment::parse(Segment::build(&entries)).unwrap();
        assert_eq!(segment.count(), count);
        for entry in &entries {
            assert_eq!(
                segment.find(entry.fingerprint),
                Some(entry.before),
                "of {count}"
            );
            assert_eq!(segment.find(Fingerprint(entry.fingerprint.0 ^ 0x100)), None);
        }
        for edge in [0, 1 << 8, u64::MAX] {
            let listed = entries.iter().any(|entry| entry.fingerprint.0 == edge);
            assert_eq!(segment.find(Fingerprint(edge)).is_some(), listed);
        }
    }
}

/// A filter may say "perhaps" of any name, and "no" of none that is there.
fn assert_filter_changes_no_answer(bytes: Vec<u8>) {
    let plain = Segment::parse(bytes.clone()).unwrap();
    let filtered = SearchableSegment::parse(bytes).unwrap();
    assert_eq!(filtered.count(), plain.count());
    for Entry { fingerprint, .. } in plain.entries() {
        for bit in [0, 1, 1 << 8, 1 << 20, 1 << 40, 1 << 63] {
            let asked = Fingerprint(fingerprint.0 ^ bit);
            assert_eq!(filtered.find(asked), plain.find(asked), "{asked:?}");
        }
    }
    for asked in [0, 1 << 8, 1 << 40, u64::MAX].map(Fingerprint) {
        assert_eq!(filtered.find(asked), plain.find(asked), "{asked:?}");
    }
}

#[test]
fn a_filter_changes_no_answer_at_any_size() {
    for count in (0..40).chain([127, 128, 129, 1_000, 20_000]) {
        assert_filter_changes_no_answer(Segment::build(&mixed(count)));
    }
}

#[test]
fn a_filter_changes_no_answer_where_names_crowd_or_all_have_times() {
    let at = |first: u64, step: u64, before: fn(u64) -> Before| {
        let entry = |n| Entry {
            fingerprint: Fingerprint(first + n * step),
            before: before(n),
        };
        Segment::build(&(0..2_000).map(entry).collect::<Vec<_>>())
    };
    let always = |_| Before::Always;
    let time = |secs| Before::Time(UnixSeconds::from_secs(secs));
    for before in [always, time as fn(u64) -> Before] {
        for (first, step) in [
            (0, 1 << 8),
            (7 << 60, 1 << 8),
            (u64::MAX - (2_000 << 8), 1 << 8),
            (3 << 50, 1 << 38),
            (0, u64::MAX / 2_000),
        ] {
            assert_filter_changes_no_answer(at(first, step, before));
        }
    }
}

#[test]
fn a_filter_changes_no_answer_of_a_segment_whose_names_are_not_sorted() {
    let mut bytes = Segment::build(&mixed(600));
    let low_bits_begin = HEADER_BYTES + ((1 << 6) + 1) * 4;
    bytes[low_bits_begin..low_bits_begin + 2_000].reverse();
    assert_filter_changes_no_answer(bytes);
}

#[test]
fn a_filter_changes_no_answer_of_a_segment_of_format_1() {
    assert_filter_changes_no_answer(format_1(&[], &[]));
    assert_filter_changes_no_answer(format_1(
        &[0, 0x0101, 0x0102, 7 << 40, u64::MAX],
        &[(3 << 50, 77), (u64::MAX, 5)],
    ));
}

#[test]
fn the_same_set_has_the_same_bytes_in_any_order() {
    let mut entries = mixed(100);
    let bytes = Segment::build(&entries);
    entries.reverse();
    entries.push(entries[3]);
    assert_eq!(Segment::build(&entries), bytes);
    let read: Vec<_> = Segment::parse(bytes.clone()).unwrap().entries().collect();
    assert_eq!(Segment::build(&read), bytes);
}

#[test]
fn refuses_every_truncation_and_bad_counts() {
    let bytes = Segment::build(&mixed(40));
    for cut in 0..bytes.len() {
        assert_eq!(
            Segment::parse(bytes[..cut].to_vec()).unwrap_err(),
            ListError::SegmentMalformed
        );
    }
    let (magic, names, cut_offs, time_bytes, index) = (0, 4, 8, 12, 24);
    for (position, value) in [
        (magic, b'X'),
        (names, 9),
        (names + 3, 0xff),
        (cut_offs, 9),
        (cut_offs + 3, 0xff),
        (time_bytes, 2),
        (time_bytes, 9),
        (time_bytes + 3, 0xff),
        (index, 1),
    ] {
        let mut bad = bytes.clone();
        bad[position] = value;
        assert_eq!(
            Segment::parse(bad).unwrap_err(),
            ListError::SegmentMalformed,
            "{position}"
        );
    }
}

#[test]
fn what_no_longer_differs_combines_by_max() {
    let entry = |fingerprint, before| Entry {
        fingerprint: Fingerprint(fingerprint),
        before,
    };
    let time = |secs| Before::Time(UnixSeconds::from_secs(secs));
    let entries = [entry(0x701, time(5)), entry(0x702, time(9))];
    let segment = Segment::parse(Segment::build(&entries)).unwrap();
    assert_eq!(
        (segment.count(), segment.find(Fingerprint(0x7ff))),
        (1, Some(time(9)))
    );
    let entries = [entry(0x701, Before::Always), entry(0x702, time(9))];
    let segment = Segment::parse(Segment::build(&entries)).unwrap();
    assert_eq!(
        (segment.count(), segment.find(Fingerprint(0x702))),
        (1, Some(Before::Always))
    );
}

#[test]
fn times_far_apart_are_kept_to_the_second() {
    for latest in [0, 1, 255, 256, 1 << 32, 1 << 53] {
        let entries: Vec<_> = [0, latest / 2, latest]
            .iter()
            .zip(1_u64..)
            .map(|(secs, name)| Entry {
                fingerprint: Fingerprint(name << 8),
                before: Before::Time(UnixSeconds::from_secs(*secs)),
            })
            .collect();
        let segment = Segment::parse(Segment::build(&entries)).unwrap();
        assert_eq!(segment.entries().collect::<Vec<_>>(), entries, "{latest}");
    }
}

/// `names` and `cut_offs` as format 1 had them, with an index of one prefix.
fn format_1(names: &[u64], cut_offs: &[(u64, u64)]) -> Vec<u8> {
    let mut bytes = b"PRS1\0\0\0\0".to_vec();
    bytes.extend((names.len() as u64).to_le_bytes());
    bytes.extend((cut_offs.len() as u64).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(u32::try_from(names.len()).unwrap().to_le_bytes());
    bytes.extend(names.iter().flat_map(|name| name.to_le_bytes()));
    for (name, secs) in cut_offs {
        bytes.extend(name.to_le_bytes().into_iter().chain(secs.to_le_bytes()));
    }
    bytes
}

#[test]
fn reads_a_segment_of_format_1() {
    let names = [0, 0x0101, 0x0102, 7 << 40, u64::MAX];
    let segment = Segment::parse(format_1(&names, &[(3 << 50, 77), (u64::MAX, 5)])).unwrap();
    // Two names have become one; the head still counts both.
    assert_eq!(segment.count(), 7);
    for name in names {
        assert_eq!(segment.find(Fingerprint(name)), Some(Before::Always));
    }
    let time = Before::Time(UnixSeconds::from_secs(77));
    assert_eq!(segment.find(Fingerprint(3 << 50)), Some(time));
    assert_eq!(segment.find(Fingerprint(1 << 50)), None);
}

#[test]
fn refuses_a_segment_of_format_1_that_is_cut_or_claims_too_much() {
    let good = format_1(&[1 << 20, 1 << 30], &[(5, 5)]);
    for cut in 0..good.len() {
        assert_eq!(
            Segment::parse(good[..cut].to_vec()).unwrap_err(),
            ListError::SegmentMalformed
        );
    }
    for place in [4, 7, 8, 11, 15, 16, 20, 23] {
        let mut bad = good.clone();
        bad[place] ^= 0xf8;
        let fault = Segment::parse(bad).unwrap_err();
        assert_eq!(fault, ListError::SegmentMalformed, "{place}");
    }
}
