//! The commands that the README names. Each is one module; this file only reads the command line.

mod build_edge;
mod tools;

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
    /// Build the Worker, installing the tools that it needs
    BuildEdge(build_edge::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::BuildEdge(options) => build_edge::run(&options),
    }
}
