//! `cargo xtask bench revoke`: from the logout's 200 to the edge's own 401, with the lanes switched
//! off one by one; and how a publication reaches thousands of edges that wait at one origin.

mod background;
mod lanes;
mod origin_binary;
mod percentiles;
mod report;
mod tally;
mod waiter;
mod waiters;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use stack::paths;

use self::report::Report;
use super::{document, machine};
use crate::build_edge;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Logouts that are timed for each choice of lanes; a third of them where KV is alone
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    logouts: u32,
    /// Requests that hang at one origin while it publishes
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    waiters: u32,
    /// Only lanes whose name holds this, and no waiters; writes no table
    #[arg(long)]
    only: Option<String>,
    /// Print the tables, but leave tests/bench/REVOKE.md as it is
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let origin = origin_binary::find()?;
    let worker = build_edge::build_default()?;
    let load_before = machine::load_average();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (waiters, times) = runtime.block_on(measure(options, &origin.path, &worker))?;
    let text = Report {
        origin: &origin.described,
        times: &times,
        waiters: waiters.as_ref(),
        load_before,
    }
    .to_markdown();
    println!("\n{text}");
    if options.dry_run || options.only.is_some() {
        return Ok(());
    }
    document::write("REVOKE.md", &text)
}

async fn measure(
    options: &Options,
    origin: &Path,
    worker: &Path,
) -> anyhow::Result<(Option<waiters::Outcome>, Vec<lanes::Times>)> {
    let wanted = |lanes: &lanes::Lanes| {
        let only = options.only.as_ref();
        only.is_none_or(|only| lanes.name().contains(only.as_str()))
    };
    let waiters = match options.only {
        None => {
            let outcome = waiters::measure(options.waiters, origin).await;
            Some(outcome.context("waiters")?)
        }
        Some(_) => None,
    };
    let mut times = Vec::new();
    for lanes in lanes::Lanes::ALL.into_iter().filter(wanted) {
        times.push(lanes::measure(lanes, options.logouts, origin, worker).await?);
    }
    Ok((waiters, times))
}

/// An empty folder for one stack.
fn fresh_folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = paths::target().join("bench/revoke").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    Ok(folder)
}
