//! How requests were answered: the good ones by number, every other kind by who was asked, what came
//! back, and when it began and ended.

use std::collections::BTreeMap;
use std::time::Duration;

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Edge,
    Origin,
}

impl Asked {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Origin => "origin",
        }
    }
}

/// Answers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Others {
    pub(super) count: u64,
    /// Since the requests began.
    pub(super) first: Duration,
    pub(super) last: Duration,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    good: u64,
    others: BTreeMap<(Asked, String), Others>,
}

impl Tally {
    pub(super) fn count_good(&mut self) {
        self.good += 1;
    }

    /// `name`: the status and the code, or why there was no answer.
    pub(super) fn count_other(&mut self, asked: Asked, name: &str, at: Duration) {
        let others = self
            .others
            .entry((asked, name.to_owned()))
            .or_insert(Others {
                count: 0,
                first: at,
                last: at,
            });
        others.count += 1;
        others.last = at;
    }

    /// Answered with 200.
    pub(super) fn good(&self) -> u64 {
        self.good
    }

    /// Every other kind of answer.
    pub(super) fn others(&self) -> impl Iterator<Item = (Asked, &str, Others)> {
        self.others
            .iter()
            .map(|((asked, name), others)| (*asked, name.as_str(), *others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_one_kind_are_one_line_with_its_beginning_and_end() {
        let mut tally = Tally::default();
        tally.count_good();
        for at in [3, 5, 9] {
            tally.count_other(Asked::Edge, "503 `list_missing`", Duration::from_millis(at));
        }
        tally.count_other(Asked::Origin, "429", Duration::from_millis(1));
        let lines: Vec<_> = tally.others().collect();
        let expected = Others {
            count: 3,
            first: Duration::from_millis(3),
            last: Duration::from_millis(9),
        };
        assert_eq!(lines[0], (Asked::Edge, "503 `list_missing`", expected));
        assert_eq!((tally.good(), lines.len()), (1, 2));
    }
}
