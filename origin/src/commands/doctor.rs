//! `portcullis doctor`: what is found of every part, and by its exit code whether any is broken.

use clap::Args;

use crate::config::Config;
use crate::doctor::{self, Finding, State};

#[derive(Debug, Args)]
#[command(after_help = "\
It repairs nothing and makes no key. A data folder, an empty SQLite file and a mail folder are made
where there are none, and a value that lives a minute is written to KV.

Exit codes: 0 every part works, if not always as one would wish; 1 a part is broken; 2 the
configuration is wrong.

Example: portcullis doctor --json | jq -r '.[] | select(.state != \"ok\") | .advice'")]
pub(super) struct DoctorCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Something that the origin needs does not work.
#[derive(Debug, thiserror::Error)]
#[error("broken: {0}")]
struct Broken(String);

pub(super) async fn run(config: &Config, command: &DoctorCommand) -> anyhow::Result<()> {
    let findings = doctor::examine(config).await;
    if command.json {
        super::print_line(&serde_json::to_string(&findings)?)?;
    } else {
        findings.iter().try_for_each(print)?;
    }
    let broken: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.state == State::Broken)
        .map(|finding| finding.part)
        .collect();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Broken(broken.join(", ")).into())
    }
}

fn print(finding: &Finding) -> anyhow::Result<()> {
    let mark = match finding.state {
        State::Ok => "ok",
        State::Doubtful => "look",
        State::Broken => "BROKEN",
    };
    super::print_line(&format!("{mark:<7} {:<12} {}", finding.part, finding.found))?;
    match finding.advice {
        Some(advice) => super::print_line(&format!("{:<20} → {advice}", "")),
        None => Ok(()),
    }
}
