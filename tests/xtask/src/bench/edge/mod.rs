//! `cargo xtask bench edge`: our Worker and its peers, each in a workerd of its own, all of one
//! version and in one run. Rounds alternate, so that whatever else the machine does meets all alike.

mod bundle;
mod case;
mod doubles;
mod measure;
mod report;
mod results;
mod targets;
mod tokens;
mod worker;
mod workerd;

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;

use self::bundle::Bundle;
use self::case::Case;
use self::measure::{Plan, Pools};
use self::results::Results;
use self::tokens::Mint;
use self::worker::{Surroundings, Worker};
use self::workerd::Workerd;
use super::machine::{self, Pinning};
use super::revoked_list::RevokedList;

/// How many entries the list has.
const REVOKED: u64 = 1_000_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One short round, to see that it works; writes no table
    #[arg(long)]
    quick: bool,
    /// Only Workers whose name holds this, and those that they are compared with; writes no table
    #[arg(long)]
    only: Option<String>,
    /// How many rounds
    #[arg(long)]
    rounds: Option<usize>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let plan = Plan::new(options.quick, options.rounds);
    let wanted = Worker::ALL
        .into_iter()
        .filter(|&worker| is_wanted(worker, options));
    let bundles = bundle::build_all(wanted)?;
    let load_before = machine::load_average();
    // Only now: the builds before it need every core.
    let pinning = Pinning::arrange();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let results = runtime.block_on(run_rounds(&plan, &bundles, pinning))?;
    let report = report::Report {
        plan: &plan,
        bundles: &bundles,
        results: &results,
        pinning,
        load_before,
    };
    print!("{}", report.to_markdown()?);
    if options.quick || options.only.is_some() {
        return Ok(());
    }
    report.write()
}

fn is_wanted(worker: Worker, options: &Options) -> bool {
    let is_reference = matches!(worker, Worker::ChecksNothing | Worker::Jose);
    let matches = |name: &String| worker.id().contains(name.as_str());
    is_reference || options.only.as_ref().is_none_or(matches)
}

async fn run_rounds(plan: &Plan, bundles: &[Bundle], pinning: Pinning) -> anyhow::Result<Results> {
    let mint = Mint::open()?;
    let now = doubles::now()?;
    let pools = Pools::issue(&mint, plan, now)?;
    let until = now.plus_secs(tokens::LIFETIME_SECS + shared::LEEWAY_SECS);
    let list = RevokedList::build(REVOKED, mint.trusted_issuer(), now, until)?;
    let list = Arc::new(list);
    eprintln!("  · a list of {} entries is signed", list.entry_count());
    let around = Surroundings {
        doubles: doubles::start(Arc::clone(&list)).await?,
        token_keys: mint.public_jwks(),
        list_keys: list.list_keys(),
    };
    let mut results = Results::default();
    let mut running = BTreeMap::new();
    for bundle in bundles {
        let started = start(plan, bundle, &around, pinning, &pools, &mut results).await?;
        running.insert(bundle.worker, started);
    }
    let cases = Case::all(bundles.iter().map(|bundle| bundle.worker));
    for round in 0..plan.rounds {
        for case in in_turn(&cases, round) {
            eprint!("  · round {} of {}: {case} … ", round + 1, plan.rounds);
            let sample = measure::measure(&running[&case.worker], case, &pools, plan, round)
                .await
                .inspect_err(|_| eprintln!())?;
            eprintln!("{:.0}/s, {:.0} µs CPU", sample.per_sec, sample.cpu_micros);
            results.add(case, sample);
        }
    }
    Ok(results)
}

/// Every round begins elsewhere, and every second one runs backwards.
fn in_turn(cases: &[Case], round: usize) -> Vec<Case> {
    let mut cases = cases.to_vec();
    let shift = (round * 7) % cases.len().max(1);
    cases.rotate_left(shift);
    if round % 2 == 1 {
        cases.reverse();
    }
    cases
}

/// Starts it a few times for the time to the first response, and leaves the last one running.
async fn start(
    plan: &Plan,
    bundle: &Bundle,
    around: &Surroundings,
    pinning: Pinning,
    pools: &Pools,
    results: &mut Results,
) -> anyhow::Result<Workerd> {
    let credential = pools.any();
    for _ in 1..plan.starts {
        let once = Workerd::start(bundle, around, pinning, credential).await?;
        results.add_start(bundle.worker, once.first_response);
    }
    let kept = Workerd::start(bundle, around, pinning, credential).await?;
    results.add_start(bundle.worker, kept.first_response);
    eprintln!(
        "  · {}: first response after {:.0} ms",
        bundle.worker.id(),
        kept.first_response.as_secs_f64() * 1000.0
    );
    Ok(kept)
}
