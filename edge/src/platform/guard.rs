//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

use super::reply::Reply;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(start: &JsValue) -> Promise;
}

/// The promise of the response that `work` comes to; of a 503 if it comes to none.
pub fn answer(work: impl Future<Output = Reply> + 'static) -> Promise {
    guard(&Closure::once_into_js(move |until_trapped| {
        start(work, &until_trapped)
    }))
}

/// Work that need not wait is done in this one step. The rest takes the usual executor, which costs
/// a turn of the host's queue at each wait.
fn start(
    work: impl Future<Output = Reply> + 'static,
    until_trapped: &Function,
) -> Result<JsValue, JsValue> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => Ok(reply.into_js()),
        Poll::Pending => {
            let rest = future_to_promise(async move { Ok(work.await.into_js()) });
            until_trapped.call1(&JsValue::UNDEFINED, &rest)
        }
    }
}
