//! Pauses between attempts: longer each time, with jitter, so that replicas and edges do not come
//! back all at once.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

const SHORTEST: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Backoff {
    longest: Duration,
    pauses: ExponentialBackoff,
}

impl Backoff {
    /// Pauses that grow up to about `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(longest)
            .without_max_times()
            .with_jitter();
        Self {
            longest,
            pauses: pauses.build(),
        }
    }

    /// The pause before the next attempt.
    pub(crate) fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.longest)
    }

    /// After a success the next pause is a short one again.
    pub(crate) fn reset(&mut self) {
        *self = Self::up_to(self.longest);
    }
}
