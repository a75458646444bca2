//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use js_sys::Promise;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;
use worker::{Env, worker_sys};

use super::wait::{self, Progress, Settled, Work};
use super::{Call, Reply};

/// Answers a call.
pub type Handler = fn(Call) -> Work;

type Run = dyn FnMut(Request, Env, worker_sys::Context) -> Result<JsValue, JsValue>;
type Resume = dyn FnMut(u32, JsValue, bool) -> Result<JsValue, JsValue>;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(
        run: &Closure<Run>,
        request: &Request,
        env: &Env,
        context: &worker_sys::Context,
    ) -> Promise;

    /// What `work` comes to, unless the instance ends before.
    #[wasm_bindgen(js_name = untilTrapped)]
    fn until_trapped(work: &Promise) -> Promise;

    /// The same, of what `resume` returns for this call once `promise` is settled.
    #[wasm_bindgen(js_name = resumeAfter)]
    fn resume_after(promise: &Promise, resume: &Closure<Resume>, id: u32) -> Promise;

    #[wasm_bindgen(js_name = orUnavailable)]
    fn or_unavailable(response: &Promise) -> Promise;
}

/// Entry points are few, and each is made once: a closure for every request would cost more than
/// the decision.
#[derive(Debug)]
pub struct EntryPoint(Closure<Run>);

thread_local! {
    static RESUME: Closure<Resume> = Closure::new(resume);
    /// Calls that wait for a promise, by the id that `resume` is given. Each ends with its promise, and
    /// the host's promises of signatures settle.
    static WAITING: RefCell<HashMap<u32, Work>> = RefCell::default();
    static NEXT_ID: Cell<u32> = const { Cell::new(0) };
}

impl EntryPoint {
    #[must_use]
    pub fn new(handler: Handler) -> Self {
        Self(Closure::new(move |request, env, context| {
            Ok(go_on(handler(Call::new(request, env, context)), None))
        }))
    }

    /// The promise of the handler's response; of a 503 if it comes to none.
    pub fn answer(&self, request: &Request, env: &Env, context: &worker_sys::Context) -> Promise {
        guard(&self.0, request, env, context)
    }
}

/// A reply that nothing in the instance waits for any more.
#[must_use]
pub fn hand_over(reply: Reply) -> JsValue {
    match reply.into_js().dyn_into() {
        Ok(promise) => or_unavailable(&promise).into(),
        Err(response) => response,
    }
}

/// Work that need not wait is done in this one step, and one that waits for a signature in two. The
/// rest takes the usual executor, which costs a turn of the host's queue at each wait.
fn go_on(mut work: Work, settled: Option<Settled>) -> JsValue {
    match wait::advance(&mut work, settled) {
        Progress::Done(reply) => reply.into_js(),
        Progress::Waits(promise) => {
            let id = NEXT_ID.replace(NEXT_ID.get().wrapping_add(1));
            WAITING.with_borrow_mut(|waiting| waiting.insert(id, work));
            RESUME
                .with(|resume| resume_after(&promise, resume, id))
                .into()
        }
        Progress::NeedsExecutor => {
            let rest = future_to_promise(async move { Ok(work.await.into_js()) });
            until_trapped(&rest).into()
        }
    }
}

/// An id that is not known is that of a call to an instance that has ended.
fn resume(id: u32, value: JsValue, is_fulfilled: bool) -> Result<JsValue, JsValue> {
    let work = WAITING.with_borrow_mut(|waiting| waiting.remove(&id));
    let work = work.ok_or(JsValue::UNDEFINED)?;
    let settled = if is_fulfilled { Ok(value) } else { Err(value) };
    Ok(go_on(work, Some(settled)))
}
