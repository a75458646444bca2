//! `cargo xtask dev`: origin and edge on this machine, as a developer wants to see them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use stack::{Durability, Plan, Stores, System, paths, port, progress};
use tokio::signal::unix::{SignalKind, signal};

use crate::walk::Walk;
use crate::{build_edge, build_origin, ready_file};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Stop after the walk; exit code 0 only if every step held
    #[arg(long)]
    once: bool,
    /// Where the origin keeps its data. `postgres` also means Redis; it uses private servers
    /// unless `DATABASE_URL` or `REDIS_URL` name others
    #[arg(long, value_enum, default_value = "embedded")]
    stores: StoresOption,
    #[arg(long, default_value_t = 8085)]
    origin_port: u16,
    #[arg(long, default_value_t = 8787)]
    edge_port: u16,
    /// Start everything, but do not walk the flow
    #[arg(long, conflicts_with = "once")]
    no_walk: bool,
    /// How often to walk; more than once also tells the median time to revoke
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Write what a script needs to know here, as JSON, once all is up
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoresOption {
    Embedded,
    Postgres,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    port::ensure_free(options.origin_port, "--origin-port")?;
    port::ensure_free(options.edge_port, "--edge-port")?;
    // An old ready file would tell of a stack that is gone.
    if let Some(path) = &options.ready_file
        && path.exists()
    {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    build_origin::build()?;
    let plan = plan(options, build_edge::build_default()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            outcome = run_stack(options, plan) => outcome,
            outcome = wait_for_signal() => outcome.and_then(|()| end_early(options)),
        }
    })
}

/// A fresh folder for each start, so that a walk never depends on the one before.
fn plan(options: &Options, worker: PathBuf) -> anyhow::Result<Plan> {
    let folder = paths::target()
        .join("dev")
        .join(options.origin_port.to_string());
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let stores = match options.stores {
        StoresOption::Embedded => Stores::Embedded,
        StoresOption::Postgres => Stores::Servers {
            database_url: std::env::var("DATABASE_URL").ok(),
            redis_url: std::env::var("REDIS_URL").ok(),
            durability: Durability::AsInProduction,
        },
    };
    let plan = Plan::new(folder, worker)?;
    Ok(Plan {
        stores,
        origin_port: options.origin_port,
        edge_port: options.edge_port,
        ..plan
    })
}

async fn run_stack(options: &Options, plan: Plan) -> anyhow::Result<()> {
    let logs = plan.folder.clone();
    let mut system = progress::during("starting origin and edge", System::start(plan)).await?;
    progress::done(&format!(
        "origin {} · edge {}",
        system.origin.url(),
        system.edge.url()
    ));
    if let Some(path) = &options.ready_file {
        ready_file::write(path, &mut system)?;
    }
    let walked = if options.no_walk {
        Ok(())
    } else {
        Walk::new(&system)?.run(options.rounds).await
    };
    if options.once {
        return walked;
    }
    if let Err(error) = &walked {
        eprintln!("  ✗ {error:#}");
    }
    println!("  Up until Ctrl-C. Logs: {}", logs.display());
    watch(&mut system).await
}

/// Reports a process that dies. Neither starts it again nor ends the others: what happens then is
/// what a developer may want to see.
async fn watch(system: &mut System) -> ! {
    let mut reported = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        ticks.tick().await;
        for process in system.processes() {
            if reported.contains(&process.name()) {
                continue;
            }
            if let Err(error) = process.check_alive() {
                reported.push(process.name());
                eprintln!("  ✗ {error:#}\n  The rest goes on.");
            }
        }
    }
}

/// Whoever asked for the walk alone is not told that it held when it was cut short.
fn end_early(options: &Options) -> anyhow::Result<()> {
    ensure!(!options.once, "stopped before the walk was over");
    Ok(())
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    eprintln!("\n  Stopping what was started.");
    Ok(())
}
