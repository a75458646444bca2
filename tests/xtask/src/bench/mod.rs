//! `cargo xtask bench`: each part of the system beside its peers, in one run on one machine. What
//! counts are the ratios; the numbers change with the machine.

mod document;
mod edge;
mod list;
mod load;
mod machine;
mod origin;
mod revoke;
mod revoked_list;
mod signer;
mod stats;
mod workerd;

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use stack::{paths, progress};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// The Worker in workerd, beside Workers with other libraries
    Edge(edge::Options),
    /// The list's coding beside others, natively and in Wasm; and the whole list in an isolate
    List(list::Options),
    /// The origin, beside the same service written with other means
    Origin(origin::Options),
    /// From a logout to the edge's refusal, lane by lane; and thousands of edges at one origin
    Revoke(revoke::Options),
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        return run_optimised();
    }
    match &options.subject {
        Subject::Edge(options) => edge::run(options),
        Subject::List(options) => list::run(options),
        Subject::Origin(options) => origin::run(options),
        Subject::Revoke(options) => revoke::run(options),
    }
}

/// The load comes from this program, and must not be what is slow: the same command again, compiled
/// with optimisation.
fn run_optimised() -> anyhow::Result<()> {
    progress::run(
        "compiling the benchmark with optimisation",
        Command::new("cargo")
            .args(["build", "--release", "--package", "xtask"])
            .current_dir(paths::workspace()),
        &paths::logs().join("bench-build.log"),
    )?;
    let program = paths::target().join("release/xtask");
    let cause = Command::new(&program)
        .args(std::env::args_os().skip(1))
        .exec();
    Err(cause).with_context(|| format!("cannot start {}", program.display()))
}

/// A rate that is no number says that nothing was measured, and must not reach a table.
fn ensure_finite(what: &str, value: f64) -> anyhow::Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        bail!("{what}: nothing was measured")
    }
}
