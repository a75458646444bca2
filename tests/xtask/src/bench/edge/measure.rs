//! How one case is measured, how long, and with which tokens.

use std::time::Duration;

use hyper::header::HeaderValue;
use shared::UnixSeconds;

use super::case::{Case, Tokens};
use super::results::Sample;
use super::tokens::{ALGORITHMS, Mint};
use super::workerd::Workerd;
use crate::bench::ensure_finite;
use crate::bench::load::Load;

const PATH: &str = "/me";
const CONNECTIONS: usize = 16;
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
