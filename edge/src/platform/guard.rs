//! The boundary to the host: whatever happens inside, a panic included, every request is answered.
//! The part that outlives the Wasm instance is `guard.js`.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::executor;
use super::reply::Reply;

#[wasm_bindgen(module = "/src/platform/guard.js")]
extern "C" {
    fn guard(start: &mut dyn FnMut() -> JsValue) -> JsValue;

    #[wasm_bindgen(js_name = untilTrapped)]
    fn until_trapped(work: &Promise) -> Promise;
}

/// The response that `work` comes to, or a promise of it. Work that need not wait is answered at
/// once, without a turn of the host's queue.
pub fn answer(work: impl Future<Output = Reply> + 'static) -> JsValue {
    let mut work = Some(work);
    guard(&mut || work.take().map_or(JsValue::UNDEFINED, start))
}

fn start(work: impl Future<Output = Reply> + 'static) -> JsValue {
    let progress = Rc::new(RefCell::new(Progress::Running));
    let finished = Rc::clone(&progress);
    executor::run(async move {
        let answer = work.await.into_js();
        finish(&finished, answer);
    });
    if let Progress::Finished(answer) = &*progress.borrow() {
        return answer.clone();
    }
    let promise = Promise::new(&mut |resolve, _| {
        *progress.borrow_mut() = Progress::Awaited(resolve);
    });
    until_trapped(&promise).unchecked_into()
}

enum Progress {
    Running,
    Finished(JsValue),
    /// Someone holds a promise; this resolves it.
    Awaited(Function),
}

fn finish(progress: &RefCell<Progress>, answer: JsValue) {
    let before = progress.replace(Progress::Running);
    match before {
        Progress::Awaited(resolve) => {
            // A promise's own resolve function does not throw.
            drop(resolve.call1(&JsValue::UNDEFINED, &answer));
        }
        Progress::Running | Progress::Finished(_) => {
            progress.replace(Progress::Finished(answer));
        }
    }
}
