//! One coding of one list: checked, then timed.

use std::fmt;
use std::time::Duration;

use anyhow::{bail, ensure};
use list_bench::coding::Kind;
use list_bench::{Answer, Command};

use super::Plan;
use super::host::{Host, Where};
use super::workerd::Bundle;
use crate::bench::machine::Pinning;
use crate::bench::stats::Summary;

/// So many entries are opened in all, so that short times are measured as well as long ones.
const ENTRIES_TO_OPEN: u64 = 10_000_000;
const MOST_COPIES: u64 = 500;
/// How far from the expected number of false hits is no longer chance: standard deviations.
const DEVIATIONS: f64 = 6.0;

/// One coding at one size.
#[derive(Debug)]
pub(super) struct CodingRow {
    pub(super) kind: Kind,
    pub(super) entries: u64,
    /// As it travels.
    pub(super) bytes: u64,
    pub(super) native: Outcome,
    pub(super) wasm: Outcome,
}

/// What came of it in one place.
#[derive(Debug)]
pub(super) enum Outcome {
    Timed(Sample),
    /// It could not be opened, or answered other than it must: no reason to time it.
    Wrong(String),
}

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) hit_nanos: f64,
    pub(super) miss_nanos: f64,
    /// From bytes in memory to the first answer.
    pub(super) ready: Duration,
    /// Of the instance, once it was opened; 0 where that is not known.
    pub(super) memory_bytes: u64,
    pub(super) false_hits: u64,
}

impl fmt::Display for CodingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "native {}, Wasm {}", self.native, self.wasm)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timed(sample) => {
                write!(f, "{:.0}/{:.0} ns", sample.hit_nanos, sample.miss_nanos)
            }
            Self::Wrong(reason) => f.write_str(reason),
        }
    }
}

pub(super) async fn measure(
    kind: Kind,
    entries: u64,
    plan: &Plan,
    worker: &Bundle,
    pinning: Pinning,
) -> anyhow::Result<CodingRow> {
    let parts = kind.encode(entries);
    let bytes = parts.iter().map(|part| part.len() as u64).sum();
    let mut outcomes = Vec::new();
    for place in Where::ALL {
        let mut host = Host::start(place, worker, pinning).await?;
        let outcome = measure_at(&mut host, kind, entries, &parts, plan).await;
        outcomes.push(match (place, outcome) {
            // workerd may end over a list that is too much for it: the other rows are good all the same.
            (Where::Wasm, Err(error)) => {
                eprintln!(" {error:#}");
                Outcome::Wrong("workerd gave no answer".to_owned())
            }
            (_, outcome) => outcome?,
        });
    }
    let Ok([native, wasm]) = <[Outcome; 2]>::try_from(outcomes) else {
        bail!("one outcome for each place");
    };
    Ok(CodingRow {
        kind,
        entries,
        bytes,
        native,
        wasm,
    })
}

async fn measure_at(
    host: &mut Host,
    kind: Kind,
    entries: u64,
    parts: &[Vec<u8>],
    plan: &Plan,
) -> anyhow::Result<Outcome> {
    let first = open(host, kind, parts, 1).await?;
    let Some(first) = first else {
        return Ok(Outcome::Wrong("does not open".to_owned()));
    };
    let (memory_bytes, _) = host.count(Command::Memory).await?;
    let false_hits = match check(host, kind, entries, plan.strangers).await? {
        Ok(false_hits) => false_hits,
        Err(reason) => return Ok(Outcome::Wrong(reason)),
    };
    let hit_nanos = time(host, plan, kind, Asked::Listed { entries }).await?;
    let miss_nanos = time(host, plan, kind, Asked::Strangers).await?;
    let copies = (ENTRIES_TO_OPEN / entries).clamp(1, MOST_COPIES);
    let ready = if copies > 1 {
        open(host, kind, parts, copies).await?.unwrap_or(first)
    } else {
        first
    };
    Ok(Outcome::Timed(Sample {
        hit_nanos,
        miss_nanos,
        ready,
        memory_bytes,
        false_hits,
    }))
}

/// How long it took to open one copy; `None` where it did not open.
async fn open(
    host: &mut Host,
    kind: Kind,
    parts: &[Vec<u8>],
    copies: u64,
) -> anyhow::Result<Option<Duration>> {
    for part in parts {
        host.order(Command::Hold, part.clone()).await?;
    }
    let count = usize::try_from(copies)?;
    host.order(Command::Copy { count }, Vec::new()).await?;
    let (opened, took) = host.count(Command::Open { kind }).await?;
    Ok((opened == copies).then(|| took / u32::try_from(copies).unwrap_or(u32::MAX)))
}

/// How many strangers were taken for listed, or what is wrong.
async fn check(
    host: &mut Host,
    kind: Kind,
    entries: u64,
    strangers: u64,
) -> anyhow::Result<Result<u64, String>> {
    let check = Command::Check { entries, strangers };
    let Answer::Checked { missed, false_hits } = host.run(check, Vec::new()).await?.0 else {
        bail!("asked for a check, got something else");
    };
    if kind == Kind::LoopAlone {
        return Ok(Ok(false_hits));
    }
    if missed > 0 {
        return Ok(Err(format!("misses {missed} of its entries")));
    }
    let expected = kind.expected_false_hits(entries, strangers);
    let allowed = expected + DEVIATIONS * expected.sqrt();
    #[expect(clippy::cast_precision_loss, reason = "a few millions at most")]
    if false_hits as f64 > allowed {
        return Ok(Err(format!(
            "finds {false_hits} of {strangers} strangers, where {expected:.1} are to be expected"
        )));
    }
    Ok(Ok(false_hits))
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    Listed { entries: u64 },
    Strangers,
}

/// Nanoseconds a question, the median of the rounds.
async fn time(host: &mut Host, plan: &Plan, kind: Kind, asked: Asked) -> anyhow::Result<f64> {
    let count = plan.questions;
    let mut nanos = Vec::new();
    for round in 0..=plan.rounds {
        let prepare = match asked {
            Asked::Listed { entries } => Command::PrepareDrawn {
                entries,
                count,
                round,
            },
            // Others than those of the check.
            Asked::Strangers => Command::PrepareStrangers {
                count,
                round: round + 1,
            },
        };
        host.order(prepare, Vec::new()).await?;
        let (found, took) = host.count(Command::Ask).await?;
        let is_right = match asked {
            Asked::Listed { .. } => found == count || kind == Kind::LoopAlone,
            Asked::Strangers => found < count / 1_000,
        };
        ensure!(is_right, "found {found} of {count}: {asked:?}");
        nanos.push(nanos_each(took, count));
    }
    // The first one warms caches and the compiler of the engine.
    let counted = Summary::of(nanos.into_iter().skip(1));
    Ok(counted.map_or(f64::NAN, |summary| summary.median))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn nanos_each(took: Duration, count: u64) -> f64 {
    took.as_secs_f64() * 1e9 / count.max(1) as f64
}
