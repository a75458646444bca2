//! The list against a model of it: whatever is published, appended and sealed, in whatever order,
//! an edge answers what a plain map of names would.

use std::collections::{BTreeSet, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;
use shared::{Before, Entry, Fingerprint, RevocationList, SegmentRef, Tail, UnixSeconds};

use crate::publisher::{head, message, read, segment, tail};

/// What an origin does next.
#[derive(Clone, Debug)]
enum Step {
    /// Adds entries to the tail and publishes.
    Publish(Vec<Entry>),
    /// Makes the tail a segment, begins an empty one, and publishes.
    Seal,
    /// Makes all segments one, and publishes.
    Merge,
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    // Few names, so that they meet again; some that share every high bit, some that none. A
    // segment keeps 56 bits, so they differ in these.
    let name = prop_oneof![
        (0_u64..12).prop_map(|n| n << 8),
        any::<u64>().prop_map(|n| n << 56),
        Just(u64::MAX)
    ];
    let before = prop_oneof![
        Just(Before::Always),
        (1_u64..50).prop_map(|secs| Before::Time(UnixSeconds::from_secs(secs))),
    ];
    let entry = (name, before).prop_map(|(name, before)| Entry {
        fingerprint: Fingerprint(name),
        before,
    });
    vec(entry, 0..8)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => entries().prop_map(Step::Publish),
        1 => Just(Step::Seal),
        1 => Just(Step::Merge),
    ];
    vec(step, 1..12)
}

/// The origin's side: what it publishes, and the model of what that means.
#[derive(Default)]
struct Origin {
    version: u64,
    tail: Vec<Entry>,
    segments: Vec<Vec<Entry>>,
    model: HashMap<u64, Before>,
}

impl Origin {
    /// Takes a step; the bytes of the tail that an edge already has.
    fn take(&mut self, step: Step) -> usize {
        self.version += 1;
        match step {
            Step::Publish(entries) => {
                let held = tail(&self.tail).as_bytes().len();
                for entry in entries {
                    let latest = self
                        .model
                        .entry(entry.fingerprint.0)
                        .or_insert(entry.before);
                    *latest = entry.before.max(*latest);
                    self.tail.push(entry);
                }
                held
            }
            Step::Seal => {
                let sealed = std::mem::take(&mut self.tail);
                // A segment of the same entries would be the same segment.
                if !sealed.is_empty() && !self.segments.contains(&sealed) {
                    self.segments.push(sealed);
                }
                0
            }
            Step::Merge => {
                let merged = self.segments.concat();
                self.segments = if merged.is_empty() {
                    vec![]
                } else {
                    vec![merged]
                };
                tail(&self.tail).as_bytes().len()
            }
        }
    }

    fn segments(&self) -> Vec<(SegmentRef, Vec<u8>)> {
        let mut names = BTreeSet::new();
        let all = self.segments.iter().map(|entries| segment(entries));
        all.filter(|(named, _)| names.insert(named.sha256.clone()))
            .collect()
    }

    /// What an edge makes of the newest message from `from` on, fetching only what it lacks.
    fn read(&self, from: usize, current: Option<&RevocationList>) -> RevocationList {
        let tail: Tail = tail(&self.tail);
        let segments = self.segments();
        let named = segments.iter().map(|(named, _)| named.clone()).collect();
        let message = message(&head(self.version, &tail, named), &tail, from);
        let missing = crate::publisher::verify(&message)
            .unwrap()
            .missing_segments(current);
        let fetched: Vec<_> = segments
            .into_iter()
            .filter(|(named, _)| missing.contains(named))
            .collect();
        read(&message, current, &fetched).unwrap()
    }

    fn assert_answered_by(&self, list: &RevocationList) {
        let asked = self
            .model
            .keys()
            .flat_map(|name| [*name, name ^ (1 << 8), name ^ (1 << 63)]);
        for name in asked.chain([0, u64::MAX]) {
            let expected = self.model.get(&name).copied();
            assert_eq!(list.find(Fingerprint(name)), expected, "{name:#x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_list_answers_what_was_published_however_it_arrived(steps in steps()) {
        let mut origin = Origin::default();
        let mut follower: Option<RevocationList> = None;
        for step in steps {
            let held = origin.take(step);
            let from = if follower.is_some() { held } else { 0 };
            // One edge follows by suffixes, another begins here with the whole.
            let followed = origin.read(from, follower.as_ref());
            let newcomer = origin.read(0, None);
            origin.assert_answered_by(&followed);
            origin.assert_answered_by(&newcomer);
            prop_assert_eq!(followed.entry_count(), newcomer.entry_count());
            follower = Some(followed);
        }
    }
}
