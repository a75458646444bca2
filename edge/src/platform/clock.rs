//! The time and chance of the host. In a Worker the clock advances only with I/O.

use std::time::Duration;

use js_sys::Promise;
use shared::UnixSeconds;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(
    inline_js = "export function resolveAfter(ms) { return new Promise((done) => setTimeout(done, ms)); }"
)]
extern "C" {
    #[wasm_bindgen(js_name = resolveAfter)]
    fn resolve_after(millis: u32) -> Promise;
}

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

/// Not `worker::Delay`, which wakes only whoever polled it first: a request's work changes hands
/// after its first step (see `guard`).
pub async fn sleep(duration: Duration) {
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    // The promise of a timer is never rejected.
    drop(JsFuture::from(resolve_after(millis)).await);
}
