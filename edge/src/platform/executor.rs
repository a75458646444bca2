//! Runs the work of a request where it is woken: at the start at once, later inside the callback of
//! the promise that it waited for. The usual executor of Wasm takes a turn of the host's microtask
//! queue for each step, which costs as much as a look-up of a token.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

type Work = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::default();
}

#[derive(Default)]
struct Tasks {
    next: u64,
    slots: HashMap<u64, Slot>,
}

enum Slot {
    Waiting(Work),
    /// Out of its slot, being polled. It may be woken from within.
    Running {
        is_woken: bool,
    },
}

/// Names a task; wakers must be `Send`, and the work is not.
struct TaskWaker(u64);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        step(self.0);
    }
}

/// Runs `work` up to its first wait, and on from there whenever it is woken.
pub fn run(work: impl Future<Output = ()> + 'static) {
    let task = TASKS.with_borrow_mut(|tasks| {
        tasks.next += 1;
        tasks
            .slots
            .insert(tasks.next, Slot::Waiting(Box::pin(work)));
        tasks.next
    });
    step(task);
}

fn step(task: u64) {
    let Some(mut work) = take(task) else { return };
    let waker = Waker::from(Arc::new(TaskWaker(task)));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(()) = work.as_mut().poll(&mut context) {
            TASKS.with_borrow_mut(|tasks| tasks.slots.remove(&task));
            return;
        }
        match put_back(task, work) {
            None => return,
            Some(woken) => work = woken,
        }
    }
}

/// The work, if it waits. If it runs, it is told to run once more.
fn take(task: u64) -> Option<Work> {
    TASKS.with_borrow_mut(|tasks| {
        let slot = tasks.slots.get_mut(&task)?;
        match std::mem::replace(slot, Slot::Running { is_woken: true }) {
            Slot::Waiting(work) => {
                *slot = Slot::Running { is_woken: false };
                Some(work)
            }
            Slot::Running { .. } => None,
        }
    })
}

/// Back to waiting; or out again, if it was woken while it ran.
fn put_back(task: u64, work: Work) -> Option<Work> {
    TASKS.with_borrow_mut(|tasks| match tasks.slots.get_mut(&task) {
        Some(Slot::Running {
            is_woken: is_woken @ true,
        }) => {
            *is_woken = false;
            Some(work)
        }
        Some(slot) => {
            *slot = Slot::Waiting(work);
            None
        }
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// Ready on its third poll; hands its waker out.
    fn counted(
        polls: &Rc<Cell<u32>>,
        wakers: &Rc<RefCell<Vec<Waker>>>,
    ) -> impl Future<Output = ()> + use<> {
        let (polls, wakers) = (Rc::clone(polls), Rc::clone(wakers));
        std::future::poll_fn(move |context| {
            polls.set(polls.get() + 1);
            wakers.borrow_mut().push(context.waker().clone());
            if polls.get() == 3 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }

    fn task_count() -> usize {
        TASKS.with_borrow(|tasks| tasks.slots.len())
    }

    #[test]
    fn runs_at_once_and_then_whenever_it_is_woken() {
        let (polls, wakers) = (Rc::default(), Rc::default());
        run(counted(&polls, &wakers));
        assert_eq!(polls.get(), 1);
        for expected in [2, 3] {
            let waker = wakers.borrow_mut().remove(0);
            waker.wake();
            assert_eq!(polls.get(), expected);
        }
        assert_eq!(task_count(), 0);
        wakers.borrow_mut().remove(0).wake();
        assert_eq!(polls.get(), 3, "a finished task is not polled again");
    }

    #[test]
    fn runs_again_when_it_wakes_itself() {
        let polls = Rc::new(Cell::new(0));
        let counter = Rc::clone(&polls);
        run(std::future::poll_fn(move |context| {
            counter.set(counter.get() + 1);
            context.waker().wake_by_ref();
            if counter.get() == 5 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        assert_eq!(polls.get(), 5);
        assert_eq!(task_count(), 0);
    }
}
