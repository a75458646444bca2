//! What the canary saw last, for whoever asks how the origin is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::UnixSeconds;

use super::failure::Failure;

/// Cheap to clone: every clone is the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Option<Observation>>>);

/// One observation: the time that the last edge took, or why there is none.
#[derive(Debug, Clone)]
pub struct Observation {
    pub at: UnixSeconds,
    pub outcome: Result<Duration, Failure>,
}

impl Board {
    pub fn note(&self, observation: Observation) {
        // A panic elsewhere cannot leave half an observation: it is put in place in one step.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(observation);
    }

    /// `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Observation> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
