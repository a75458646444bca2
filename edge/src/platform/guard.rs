//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::future::Future;

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Response;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(work: &Promise) -> Promise;
}

/// The promise of the response that `work` comes to; of a 503 if it comes to none.
pub fn answer(work: impl Future<Output = Response> + 'static) -> Promise {
    guard(&future_to_promise(async move { Ok(work.await.into()) }))
}
