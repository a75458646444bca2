//! The time and chance of the host. In a Worker the clock advances only with I/O.

use std::time::Duration;

use shared::UnixSeconds;
use worker::Delay;

#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970, far below 2^53"
)]
pub fn now() -> UnixSeconds {
    UnixSeconds::from_millis(js_sys::Date::now() as u64)
}

/// In `[0, 1)`; good enough to spread retries, and used for nothing else.
#[must_use]
pub fn chance() -> f64 {
    js_sys::Math::random()
}

/// For background work only: a request never waits for time to pass.
pub async fn sleep(duration: Duration) {
    Delay::from(duration).await;
}
