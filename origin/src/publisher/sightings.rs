//! Which versions edges said that they hold, and when we first heard it: for receipts. Noted in
//! memory while a request is answered, written to the database later, in batches.

use std::sync::{Mutex, PoisonError};

use shared::UnixSeconds;

/// Past this many unwritten notes new ones are dropped: a later version will say the same.
const MOST_UNWRITTEN: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    pub version: u64,
    pub at: UnixSeconds,
}

#[derive(Debug, Default)]
pub struct Sightings(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    newest: u64,
    unwritten: Vec<Sighting>,
}

impl Sightings {
    /// Notes that an edge holds `version`, if that is news.
    pub fn note(&self, version: u64, at: UnixSeconds) {
        // A panic elsewhere cannot leave the notes half-made: each is one push.
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if version > noted.newest && noted.unwritten.len() < MOST_UNWRITTEN {
            noted.newest = version;
            noted.unwritten.push(Sighting { version, at });
        }
    }

    /// What has not been written yet, by ascending version; the caller writes it.
    #[must_use]
    pub fn take(&self) -> Vec<Sighting> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut noted.unwritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_each_version_once_and_in_order() {
        let sightings = Sightings::default();
        for (version, secs) in [(3, 1), (3, 2), (2, 3), (5, 4)] {
            sightings.note(version, UnixSeconds::from_secs(secs));
        }
        let at = UnixSeconds::from_secs;
        let expected = [
            Sighting {
                version: 3,
                at: at(1),
            },
            Sighting {
                version: 5,
                at: at(4),
            },
        ];
        assert_eq!(sightings.take(), expected);
        assert_eq!(sightings.take(), []);
    }
}
