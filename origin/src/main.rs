//! `portcullis`: parses the command line, runs, and says by its exit code how it went.

use std::process::ExitCode;

use origin::commands::Cli;

fn main() -> ExitCode {
    Cli::from_command_line().run()
}
