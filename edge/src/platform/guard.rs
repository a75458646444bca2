//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;
use worker::{Env, worker_sys};

use super::Call;
use super::reply::Reply;

/// Answers a call.
pub type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Reply>>>;

type Run = dyn FnMut(Request, Env, worker_sys::Context, Function) -> Result<JsValue, JsValue>;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(
        run: &Closure<Run>,
        request: &Request,
        env: &Env,
        context: &worker_sys::Context,
    ) -> Promise;
}

/// Entry points are few, and each is made once: a closure for every request would cost more than
/// the decision.
#[derive(Debug)]
pub struct EntryPoint(Closure<Run>);

impl EntryPoint {
    #[must_use]
    pub fn new(handler: Handler) -> Self {
        Self(Closure::new(move |request, env, context, until_trapped| {
            start(handler(Call::new(request, env, context)), &until_trapped)
        }))
    }

    /// The promise of the handler's response; of a 503 if it comes to none.
    pub fn answer(&self, request: &Request, env: &Env, context: &worker_sys::Context) -> Promise {
        guard(&self.0, request, env, context)
    }
}

/// Work that need not wait is done in this one step. The rest takes the usual executor, which costs
/// a turn of the host's queue at each wait.
fn start(
    mut work: Pin<Box<dyn Future<Output = Reply>>>,
    until_trapped: &Function,
) -> Result<JsValue, JsValue> {
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => Ok(reply.into_js()),
        Poll::Pending => {
            let rest = future_to_promise(async move { Ok(work.await.into_js()) });
            until_trapped.call1(&JsValue::UNDEFINED, &rest)
        }
    }
}
