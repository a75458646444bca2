//! The orderly end of the process: who asks for it, in which order things stop, and how long each
//! may take. A background task that ends by itself is a reason to end as well: half an origin that
//! looks alive is worse than none.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Requests that are under way may take this long to finish.
pub const REQUESTS_MAY_TAKE: Duration = Duration::from_secs(10);
/// Publishing what they left behind, with its delivery. All three together stay below the 30 s after
/// which supervisors of processes lose their patience.
pub const LAST_LIST_MAY_TAKE: Duration = Duration::from_secs(10);
/// Background tasks stop at their next pause, which is never far away.
const TASKS_MAY_TAKE: Duration = Duration::from_secs(5);

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on neither signal ends the process by itself.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal, by name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The background tasks of the process.
#[derive(Debug, Default)]
pub struct Supervisor {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

impl Supervisor {
    /// What a background task has to watch: it ends when this is cancelled, and never before.
    #[must_use]
    pub fn stop_background(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// The name of the first task that ended although nobody stopped it.
    pub async fn first_dead(&mut self) -> &'static str {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => std::future::pending().await,
        };
        self.names.get(&id).copied().unwrap_or("unnamed")
    }

    /// Stops every task, and cuts off those that do not listen.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(TASKS_MAY_TAKE, all_ended)
            .await
            .is_err()
        {
            tracing::warn!(tasks = self.tasks.len(), "background tasks were cut off");
            self.tasks.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_the_task_that_died() {
        let mut supervisor = Supervisor::default();
        let stop = supervisor.stop_background();
        supervisor.spawn("patient", async move { stop.cancelled().await });
        supervisor.spawn("short-lived", async {});
        assert_eq!(supervisor.first_dead().await, "short-lived");
    }

    #[tokio::test]
    async fn names_the_task_that_panicked() {
        let mut supervisor = Supervisor::default();
        supervisor.spawn("clumsy", async { panic!("on purpose") });
        assert_eq!(supervisor.first_dead().await, "clumsy");
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_off_a_task_that_does_not_listen() {
        let mut supervisor = Supervisor::default();
        supervisor.spawn("deaf", std::future::pending());
        supervisor.stop().await;
    }
}
