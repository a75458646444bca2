//! A steady trickle of requests beside what is timed: as many a second as the rate says, on to edge
//! and origin, never more at once than answers come back.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use stack::{Answer, Client};
use tokio::task::LocalSet;

use super::tally::{Asked, Tally};

/// Requests a second, to the edge and to the origin each.
pub(super) const RATE: u32 = 100;
const CONNECTIONS: u32 = 4;

/// Goes on until it is dropped.
#[derive(Debug)]
pub(super) struct Background {
    tasks: LocalSet,
    tally: Rc<RefCell<Tally>>,
    started: Instant,
}

impl Background {
    /// `token` is one that is never revoked.
    pub(super) fn start(edge: &Client, origin: &Client, token: &str) -> Self {
        let background = Self {
            tasks: LocalSet::new(),
            tally: Rc::default(),
            started: Instant::now(),
        };
        for (asked, client) in [(Asked::Edge, edge), (Asked::Origin, origin)] {
            for _ in 0..CONNECTIONS {
                background.ask_steadily(asked, client.clone(), token.to_owned());
            }
        }
        background
    }

    fn ask_steadily(&self, asked: Asked, client: Client, token: String) {
        let (tally, started) = (Rc::clone(&self.tally), self.started);
        self.tasks.spawn_local(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) * CONNECTIONS / RATE);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                let answer = client.me(&token).await;
                let at = started.elapsed();
                match answer {
                    Ok(answer) if answer.status == 200 => tally.borrow_mut().count_good(),
                    answer => tally.borrow_mut().count_other(asked, &name(answer), at),
                }
            }
        });
    }

    /// Runs `work` beside the requests.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        self.tasks.run_until(work).await
    }

    /// What was answered so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }
}

/// The status and the code of an answer, or the innermost reason why there was none.
fn name(answer: anyhow::Result<Answer>) -> String {
    match answer {
        Ok(answer) => match answer.code() {
            code if code.is_empty() => answer.status.to_string(),
            code => format!("{} `{code}`", answer.status.as_u16()),
        },
        Err(error) => format!("none: {}", error.root_cause()),
    }
}
