//! The subcommands of `portcullis`.

pub mod client;
pub mod user;

use std::io::Write;

/// One line on standard output, for the next program to read.
fn print_line(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
