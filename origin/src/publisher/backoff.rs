//! Pauses between attempts: longer each time, with jitter, so that replicas and edges do not come
//! back all at once.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) struct Backoff(ExponentialBackoff);

impl Backoff {
    pub(super) fn new() -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .without_max_times()
            .with_jitter();
        Self(pauses.build())
    }

    /// The pause before the next attempt.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }

    /// After a success the next pause is a short one again.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}
