//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;

use super::reply::Reply;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(start: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = untilTrapped)]
    fn until_trapped(work: &Promise) -> Promise;

    /// `response`, or what `on_failure` returns if that is rejected.
    #[wasm_bindgen(js_name = upstreamOr)]
    pub(super) fn upstream_or(
        response: &Promise,
        on_failure: &Closure<dyn Fn() -> JsValue>,
    ) -> JsValue;
}

/// The promise of the response that `work` comes to; of a 503 if it comes to none.
pub fn answer(work: impl Future<Output = Reply> + 'static) -> Promise {
    guard(&Closure::once_into_js(move || start(work)))
}

/// Work that need not wait is done in this one step. The rest takes the usual executor, which costs
/// a turn of the host's queue at each wait.
fn start(work: impl Future<Output = Reply> + 'static) -> JsValue {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => reply.into_js(),
        Poll::Pending => {
            let rest = future_to_promise(async move { Ok(work.await.into_js()) });
            until_trapped(&rest).unchecked_into()
        }
    }
}
