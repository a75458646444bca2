//! The commands that the README names. Each is one module; this file only reads the command line.

mod bench;
mod build_edge;
mod build_origin;
mod cargo_test;
mod corpus;
mod dev;
mod purity;
mod ready_file;
mod test;
mod tools;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and tests Portcullis as a whole.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run origin and edge on this machine and walk the main flow
    Dev(dev::Options),
    /// Run every test, with the servers that they need
    Test(test::Options),
    /// Judge a corpus of tokens, one JSON case a line on stdin
    Corpus(corpus::Options),
    /// Measure a part of the system beside its peers
    Bench(bench::Options),
    /// Build the Worker, installing the tools that it needs
    BuildEdge(build_edge::Options),
    /// Check that `shared` depends on no clock, no network and no target
    Purity,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Dev(options) => dev::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Corpus(options) => corpus::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::BuildEdge(options) => build_edge::run(&options),
        Command::Purity => purity::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("  ✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}
