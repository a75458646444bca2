//! What is measured, how long, and the samples that come of it. Knows nothing of how they are shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use hyper::header::HeaderValue;
use shared::{Algorithm, UnixSeconds};

use super::tokens::{ALGORITHMS, Mint};
use super::worker::Worker;
use super::workerd::Workerd;
use crate::bench::ensure_finite;
use crate::bench::load::Load;
use crate::bench::stats::Summary;

const PATH: &str = "/me";
const CONNECTIONS: usize = 16;
/// Enough for the JIT compilers to settle.
const WARM_UP_REQUESTS: usize = 1_000;
const MAX_WARM_UP: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    pub(super) starts: usize,
    pub(super) live_tokens: usize,
    unseen_a_round: usize,
    max_requests: usize,
    max_time: Duration,
}

impl Plan {
    pub(super) fn new(quick: bool, rounds: Option<usize>) -> Self {
        let (usual_rounds, starts, unseen_a_round, max_secs) = if quick {
            (1, 1, 2_000, 1)
        } else {
            (5, 5, 5_000, 3)
        };
        Self {
            rounds: rounds.unwrap_or(usual_rounds).max(1),
            starts,
            live_tokens: 10_000,
            unseen_a_round,
            max_requests: 20_000,
            max_time: Duration::from_secs(max_secs),
        }
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "{} rounds; {CONNECTIONS} connections; a measurement ends after {} requests or {} s; \
             {} live tokens an algorithm in turn; {} tokens never seen before a round",
            self.rounds,
            self.max_requests,
            self.max_time.as_secs(),
            self.live_tokens,
            self.unseen_a_round,
        )
    }
}

/// Whether the Worker has met the tokens before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tokens {
    Seen,
    Unseen,
}

/// One line of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) worker: Worker,
    /// Its place in `ALGORITHMS`.
    algorithm: usize,
    pub(super) tokens: Tokens,
}

impl Case {
    pub(super) fn new(worker: Worker, algorithm: Algorithm, tokens: Tokens) -> Option<Self> {
        let algorithm = ALGORITHMS.iter().position(|known| *known == algorithm)?;
        Some(Self {
            worker,
            algorithm,
            tokens,
        })
    }

    pub(super) fn all(workers: impl Iterator<Item = Worker>) -> Vec<Self> {
        workers.flat_map(Self::of).collect()
    }

    fn of(worker: Worker) -> Vec<Self> {
        let (algorithms, kinds): (_, &[Tokens]) = match worker {
            // What does not look at the token is measured with one kind of it.
            Worker::AnswersItself
            | Worker::ChecksNothing
            | Worker::ChecksNothingInRust
            | Worker::PortcullisLoggingAll => (0..1, &[Tokens::Seen]),
            Worker::JoseAndKv | Worker::Hono => (0..ALGORITHMS.len(), &[Tokens::Seen]),
            Worker::Portcullis | Worker::Jose => {
                (0..ALGORITHMS.len(), &[Tokens::Seen, Tokens::Unseen])
            }
        };
        let case = |algorithm| {
            kinds.iter().map(move |&tokens| Self {
                worker,
                algorithm,
                tokens,
            })
        };
        algorithms.flat_map(case).collect()
    }

    pub(super) fn algorithm(self) -> Algorithm {
        ALGORITHMS[self.algorithm]
    }

    /// A token is "seen before" only after all of them were sent once.
    fn warm_up_requests(self, live_tokens: usize) -> usize {
        match (self.worker, self.tokens) {
            (Worker::Portcullis | Worker::PortcullisLoggingAll, Tokens::Seen) => live_tokens,
            _ => WARM_UP_REQUESTS,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = match self.tokens {
            Tokens::Seen => "seen before",
            Tokens::Unseen => "never seen",
        };
        let (worker, algorithm) = (self.worker.id(), self.algorithm().name());
        write!(f, "{worker}, {algorithm}, {tokens}")
    }
}

/// The tokens of the run, one pool an algorithm.
#[derive(Debug)]
pub(super) struct Pools {
    live: Vec<Vec<HeaderValue>>,
    /// As many for each round; every Worker is sent each of them once.
    unseen: Vec<Vec<HeaderValue>>,
}

impl Pools {
    pub(super) fn issue(mint: &Mint, plan: &Plan, now: UnixSeconds) -> anyhow::Result<Self> {
        let issue = |count| {
            ALGORITHMS
                .into_iter()
                .map(|algorithm| mint.issue(algorithm, count, now))
                .collect::<anyhow::Result<_>>()
        };
        eprintln!("  · signing tokens");
        Ok(Self {
            live: issue(plan.live_tokens)?,
            unseen: issue(plan.unseen_a_round * plan.rounds)?,
        })
    }

    /// Some live token.
    pub(super) fn any(&self) -> &HeaderValue {
        &self.live[0][0]
    }
}

/// One measurement of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) per_sec: f64,
    pub(super) p50_millis: f64,
    pub(super) p99_millis: f64,
    /// Of the workerd process, a request: its upstream, in the same process, included.
    pub(super) cpu_micros: f64,
}

pub(super) async fn measure(
    workerd: &Workerd,
    case: Case,
    pools: &Pools,
    plan: &Plan,
    round: usize,
) -> anyhow::Result<Sample> {
    let live = Load {
        server: workerd.server,
        path: PATH,
        credentials: &pools.live[case.algorithm],
        connections: CONNECTIONS,
        max_requests: plan.max_requests,
        max_time: plan.max_time,
    };
    let warm_up = Load {
        max_requests: case.warm_up_requests(plan.live_tokens),
        max_time: MAX_WARM_UP,
        ..live
    };
    warm_up.run().await?;
    match case.tokens {
        Tokens::Seen => sample(workerd, &live).await,
        Tokens::Unseen => {
            let from = round * plan.unseen_a_round;
            let unseen = &pools.unseen[case.algorithm][from..from + plan.unseen_a_round];
            let once = Load {
                credentials: unseen,
                max_requests: unseen.len(),
                ..live
            };
            sample(workerd, &once).await
        }
    }
}

async fn sample(workerd: &Workerd, load: &Load<'_>) -> anyhow::Result<Sample> {
    let cpu_before = workerd.cpu_secs()?;
    let outcome = load.run().await?;
    let cpu_secs = workerd.cpu_secs()? - cpu_before;
    let requests = f64::from(u32::try_from(outcome.requests())?);
    let millis = |percent| outcome.percentile(percent).as_secs_f64() * 1e3;
    Ok(Sample {
        per_sec: ensure_finite("requests/s", requests / outcome.elapsed.as_secs_f64())?,
        p50_millis: millis(50),
        p99_millis: millis(99),
        cpu_micros: ensure_finite("CPU a request", cpu_secs * 1e6 / requests)?,
    })
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    samples: BTreeMap<Case, Vec<Sample>>,
    starts: BTreeMap<Worker, Vec<Duration>>,
}

impl Results {
    pub(super) fn add(&mut self, case: Case, sample: Sample) {
        self.samples.entry(case).or_default().push(sample);
    }

    pub(super) fn add_start(&mut self, worker: Worker, first_response: Duration) {
        self.starts.entry(worker).or_default().push(first_response);
    }

    pub(super) fn cases(&self) -> impl Iterator<Item = Case> {
        self.samples.keys().copied()
    }

    /// One value a round.
    pub(super) fn series(&self, case: Case, value: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let samples = self.samples.get(&case).map_or(&[][..], Vec::as_slice);
        samples.iter().map(value).collect()
    }

    pub(super) fn summary(
        &self,
        case: Case,
        value: impl Fn(&Sample) -> f64,
    ) -> anyhow::Result<Summary> {
        Summary::of(self.series(case, value)).with_context(|| format!("no sample of {case}"))
    }

    pub(super) fn first_response_millis(&self, worker: Worker) -> Option<Summary> {
        let starts = self.starts.get(&worker)?;
        Summary::of(starts.iter().map(|time| time.as_secs_f64() * 1e3))
    }
}
