//! `cargo xtask bench revoke`: from the logout's 200 to the edge's own 401, with the lanes switched
//! off one by one; and how a publication reaches thousands of edges that wait at one origin.

mod background;
mod lanes;
mod percentiles;
mod report;
mod waiter;
mod waiters;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use clap::Args;
use stack::{paths, progress};

use crate::build_edge;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Logouts that are timed for each choice of lanes; a third of them where KV is alone
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    logouts: u32,
    /// Requests that hang at one origin while it publishes
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    waiters: u32,
    /// Print the tables, but leave tests/bench/REVOKE.md as it is
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let origin = find_origin()?;
    let worker = build_edge::build_default()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(async {
        let waiters = waiters::measure(options.waiters, &origin)
            .await
            .context("waiters")?;
        let mut times = Vec::new();
        for lanes in lanes::Lanes::ALL {
            times.push(lanes::measure(lanes, options.logouts, &origin, &worker).await?);
        }
        anyhow::Ok(report::render(&times, &waiters))
    })?;
    println!("\n{text}");
    if !options.dry_run {
        let path = paths::workspace().join("tests/bench/REVOKE.md");
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        progress::done(&format!("written to {}", path.display()));
    }
    Ok(())
}

/// `PORTCULLIS_BIN`, or this checkout's origin, compiled with optimisation.
fn find_origin() -> anyhow::Result<PathBuf> {
    if let Some(binary) = std::env::var_os("PORTCULLIS_BIN") {
        return Ok(binary.into());
    }
    progress::run(
        "compiling the origin with optimisation",
        Command::new("cargo")
            .args(["build", "--release", "--package", "origin"])
            .current_dir(paths::workspace()),
        &paths::logs().join("bench-revoke-build.log"),
    )?;
    Ok(paths::target().join("release/portcullis"))
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
