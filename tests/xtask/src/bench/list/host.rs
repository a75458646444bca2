//! Where the list is asked: in this process, or in workerd. Both take the same commands.

use std::time::{Duration, Instant};

use anyhow::bail;
use list_bench::{Answer, Bench, Command};

use super::native::Native;
use super::workerd::{Bundle, Workerd};
use crate::bench::machine::Pinning;
use crate::bench::stats::Summary;

/// Answers whose median says what a command costs that does nothing.
const RESTS: u32 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Native,
    Wasm,
}

impl Where {
    pub(super) const ALL: [Self; 2] = [Self::Native, Self::Wasm];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "Wasm in workerd",
        }
    }
}

#[derive(Debug)]
pub(super) enum Host {
    Native(Box<Bench>),
    Wasm {
        workerd: Workerd,
        /// What it takes to ask for nothing.
        rest: Duration,
    },
}

impl Host {
    pub(super) async fn start(
        place: Where,
        worker: &Bundle,
        pinning: Pinning,
    ) -> anyhow::Result<Self> {
        match place {
            Where::Native => Ok(Self::Native(Box::default())),
            Where::Wasm => {
                let workerd = Workerd::start(worker, pinning).await?;
                let mut rests = Vec::new();
                for _ in 0..RESTS {
                    rests.push(
                        workerd
                            .send(&Command::Rest, Vec::new())
                            .await?
                            .1
                            .as_secs_f64(),
                    );
                }
                let rest = Summary::of(rests).map_or(0.0, |rests| rests.median);
                let rest = Duration::from_secs_f64(rest);
                Ok(Self::Wasm { workerd, rest })
            }
        }
    }

    pub(super) fn place(&self) -> Where {
        match self {
            Self::Native(_) => Where::Native,
            Self::Wasm { .. } => Where::Wasm,
        }
    }

    /// The answer, and how long it took beyond asking for nothing.
    pub(super) async fn run(
        &mut self,
        command: Command,
        body: Vec<u8>,
    ) -> anyhow::Result<(Answer, Duration)> {
        match self {
            Self::Native(bench) => {
                let started = Instant::now();
                let answer = bench.run(command, body, &Native).await?;
                Ok((answer, started.elapsed()))
            }
            Self::Wasm { workerd, rest } => {
                let (answer, took) = workerd.send(&command, body).await?;
                Ok((answer, took.saturating_sub(*rest)))
            }
        }
    }

    pub(super) async fn order(&mut self, command: Command, body: Vec<u8>) -> anyhow::Result<()> {
        self.run(command, body).await.map(drop)
    }

    /// A number, and how long it took.
    pub(super) async fn count(&mut self, command: Command) -> anyhow::Result<(u64, Duration)> {
        match self.run(command, Vec::new()).await? {
            (Answer::Count(count), took) => Ok((count, took)),
            (other, _) => bail!("asked for a number, got {other:?}"),
        }
    }

    /// Processor seconds of workerd so far; `None` here, where time is processor time.
    pub(super) fn cpu_secs(&self) -> anyhow::Result<Option<f64>> {
        match self {
            Self::Native(_) => Ok(None),
            Self::Wasm { workerd, .. } => workerd.cpu_secs().map(Some),
        }
    }
}
