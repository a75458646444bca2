//! A call's wait for one promise, without the executor: its queue and the closures of a `JsFuture`
//! cost more than a decision. `guard` polls the call, learns here what it waits for, and polls it
//! again with what came of that. Under the executor the same wait is an ordinary one.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::reply::Reply;

/// A call that is being answered.
pub(super) type Work = Pin<Box<dyn Future<Output = Reply>>>;
/// What a promise came to.
pub(super) type Settled = Result<JsValue, JsValue>;

/// What became of one poll.
pub(super) enum Progress {
    Done(Reply),
    /// Poll again with what this promise came to.
    Waits(Promise),
    /// It waits for something that only the executor can wake it for.
    NeedsExecutor,
}

enum Step {
    /// No call is being polled by `guard`.
    None,
    Running,
    Waiting(Promise),
    Resumed(Settled),
}

thread_local! {
    static STEP: RefCell<Step> = const { RefCell::new(Step::None) };
}

/// Polls `work` once, with what the promise that it waited for came to.
pub(super) fn advance(work: &mut Work, settled: Option<Settled>) -> Progress {
    STEP.replace(settled.map_or(Step::Running, Step::Resumed));
    let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    match (polled, STEP.replace(Step::None)) {
        (Poll::Ready(reply), _) => Progress::Done(reply),
        (Poll::Pending, Step::Waiting(promise)) => Progress::Waits(promise),
        (Poll::Pending, _) => Progress::NeedsExecutor,
    }
}

/// Waits for `promise`. Only where the call waits for nothing else beside it: nothing but this
/// promise resumes the call.
pub(super) async fn settle(promise: Promise) -> Settled {
    match STEP.replace(Step::None) {
        Step::Running => {
            STEP.replace(Step::Waiting(promise));
            poll_fn(|_| take_settled()).await
        }
        other => {
            STEP.replace(other);
            JsFuture::from(promise).await
        }
    }
}

fn take_settled() -> Poll<Settled> {
    STEP.with_borrow_mut(|step| match std::mem::replace(step, Step::Running) {
        Step::Resumed(settled) => Poll::Ready(settled),
        other => {
            *step = other;
            Poll::Pending
        }
    })
}
