//! `cargo xtask bench origin`: the origin, plain axum handlers and `FastAPI` on the same Postgres and
//! Redis, in one run. Rounds alternate, so that whatever else the machine does meets all alike.

mod connection;
mod cpu;
mod fastapi;
mod load;
mod measure;
mod process_tree;
mod report;
mod results;
mod route;
mod run;
mod seed;
mod server;
mod service;
mod stock;
mod targets;

use std::process::Command;

use clap::Args;
use stack::{paths, progress};

use self::measure::Plan;
use self::report::Report;
use self::route::Route;
use self::run::Run;
use super::machine;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One short round, to see that it works; writes no table
    #[arg(long)]
    quick: bool,
    /// Only routes whose name holds this; writes no table
    #[arg(long)]
    only: Option<String>,
    /// How many rounds
    #[arg(long)]
    rounds: Option<usize>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let plan = Plan::new(options.quick, options.rounds);
    build()?;
    fastapi::install()?;
    let load_before = machine::load_average();
    // One thread: the load shares the cores with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let run = runtime.block_on(run_rounds(plan, options))?;
    let report = Report {
        plan: &plan,
        results: &run.results,
        store_versions: &run.store_versions()?,
        load_before,
    };
    print!("{}", report.to_markdown()?);
    if options.quick || options.only.is_some() {
        return Ok(());
    }
    report.write()
}

async fn run_rounds(plan: Plan, options: &Options) -> anyhow::Result<Run> {
    let wanted = |route: &Route| {
        let only = options.only.as_ref();
        only.is_none_or(|only| route.path().contains(only.as_str()))
    };
    let routes: Vec<Route> = Route::ALL.into_iter().filter(wanted).collect();
    let mut run = Run::start(plan).await?;
    for round in 0..plan.rounds {
        for route in &routes {
            run.measure_all(*route, round).await?;
        }
    }
    run.note_memory()?;
    Ok(run)
}

fn build() -> anyhow::Result<()> {
    progress::run(
        "compiling the origin and its peer with optimisation",
        Command::new("cargo")
            .args(["build", "--release", "--package", "origin"])
            .args(["--package", "bare-axum"])
            .current_dir(paths::workspace()),
        &paths::logs().join("bench-origin-build.log"),
    )
}
