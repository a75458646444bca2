//! A steady trickle of requests beside what is timed: as many a second as the rate says, on to edge
//! and origin, never more at once than answers come back.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use stack::Client;
use tokio::task::LocalSet;

/// Requests a second, to the edge and to the origin each.
pub(super) const RATE: u32 = 100;
const CONNECTIONS: u32 = 4;

/// Goes on until it is dropped.
#[derive(Debug)]
pub(super) struct Background {
    tasks: LocalSet,
    answered: Rc<Cell<u64>>,
    failed: Rc<Cell<u64>>,
}

impl Background {
    /// `token` is one that is never revoked.
    pub(super) fn start(edge: &Client, origin: &Client, token: &str) -> Self {
        let background = Self {
            tasks: LocalSet::new(),
            answered: Rc::default(),
            failed: Rc::default(),
        };
        for client in [edge, origin] {
            for _ in 0..CONNECTIONS {
                background.ask_steadily(client.clone(), token.to_owned());
            }
        }
        background
    }

    fn ask_steadily(&self, client: Client, token: String) {
        let (answered, failed) = (Rc::clone(&self.answered), Rc::clone(&self.failed));
        self.tasks.spawn_local(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) * CONNECTIONS / RATE);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                let count = match client.me(&token).await {
                    Ok(answer) if answer.status == 200 => &answered,
                    Ok(_) | Err(_) => &failed,
                };
                count.set(count.get() + 1);
            }
        });
    }

    /// Runs `work` beside the requests.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        self.tasks.run_until(work).await
    }

    /// Answered with 200, and not.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.answered.get(), self.failed.get())
    }
}
