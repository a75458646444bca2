//! Times that lapse by themselves, and waiting longer after each failure.
//!
//! An invocation may be cut off at any moment, so no state is a flag that someone must reset. A time
//! that lies further ahead than it can (the clock was turned back) counts as lapsed.

use shared::UnixSeconds;

const FIRST_BACKOFF_MS: u64 = 500;
const MAX_BACKOFF_MS: u64 = 30_000;

/// Not again before a time that moves out with each failure in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    retry_at: Option<UnixSeconds>,
}

impl Backoff {
    /// `chance` is in `[0, 1)`: isolates that failed together do not come back together.
    pub(crate) fn note_failure(&mut self, now: UnixSeconds, chance: f64) {
        let doublings = self.failures.min(16);
        let ceiling_ms = (FIRST_BACKOFF_MS << doublings).min(MAX_BACKOFF_MS);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(after(now, ceiling_ms / 2 + scale(ceiling_ms / 2, chance)));
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn must_wait(&self, now: UnixSeconds) -> bool {
        self.retry_at
            .is_some_and(|at| is_ahead(at, now, MAX_BACKOFF_MS))
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

pub(crate) fn after(now: UnixSeconds, millis: u64) -> UnixSeconds {
    UnixSeconds::from_millis(now.as_millis() + millis)
}

/// Ahead of `now`, and by no more than it can honestly be.
pub(crate) fn is_ahead(at: UnixSeconds, now: UnixSeconds, at_most_millis: u64) -> bool {
    at > now && at <= after(now, at_most_millis)
}

/// Less than `millis` ago.
pub(crate) fn is_recent(past: Option<UnixSeconds>, millis: u64, now: UnixSeconds) -> bool {
    past.is_some_and(|past| is_ahead(after(past, millis), now, millis))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a backoff, scaled by a number in [0, 1)"
)]
fn scale(millis: u64, chance: f64) -> u64 {
    (millis as f64 * chance.clamp(0.0, 1.0)) as u64
}
