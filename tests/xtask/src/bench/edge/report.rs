//! The run as one Markdown document: what was measured on, every row, and the targets.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context;
use shared::Algorithm;
use stack::{paths, progress};

use super::bundle::{self, Bundle};
use super::case::{Case, Tokens};
use super::measure::Plan;
use super::results::Results;
use super::targets;
use super::worker::Worker;
use super::workerd;
use crate::bench::machine::{self, Pinning};

/// Above this, somebody else is using the machine.
const QUIET_LOAD: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) bundles: &'a [Bundle],
    pub(super) results: &'a Results,
    pub(super) pinning: Pinning,
    pub(super) load_before: Option<f64>,
}

/// Where the time of what misses its target goes, and what was tried: written by hand from profiles,
/// and repeated under the table.
fn read_profile() -> anyhow::Result<String> {
    let file = paths::workspace().join("tests/bench/PROFILE.md");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.replace("\n## ", "\n### ").replacen("# ", "## ", 1))
}

const INTRODUCTION: &str = "\
# The Worker beside its peers

Written by `cargo xtask bench edge`; do not edit. Only ratios within one run count.

Every Worker runs in a workerd of its own, started directly (no wrangler, no proxy), and passes what
it lets through on to the same upstream: a Worker in the same process that answers 200 at once. So
the hop costs each of them the same, and its CPU is in everybody's numbers. Portcullis holds a list
of 1,000,000 revocations (ten segments, as many as the publisher's merging ever leaves of them, and a
tail) that it pulls from a stand-in for the origin; KV is played by a double on loopback that answers at once, which flatters whoever reads KV a request.
`jose` and `hono` import keys as their documentation says, check issuer, audience, times and `typ`,
and set no identity headers; ours strips and sets them. Numbers are medians of the rounds, with the
smallest and the largest.
";

const NOTES: &str = "
\"By CPU\" is the same ratio by processor time a request. The ceiling is what a Worker that checks
nothing reaches against the same peer: the hop to the upstream is in every Worker's time. Verification
is the CPU beyond the Worker in the same language that checks nothing.
";

impl Report<'_> {
    pub(super) fn to_markdown(&self) -> anyhow::Result<String> {
        let mut text = String::from(INTRODUCTION);
        self.write_setting(&mut text)?;
        self.write_targets(&mut text)?;
        self.write_cases(&mut text)?;
        self.write_bundles(&mut text)?;
        write!(text, "\n{}", read_profile()?)?;
        Ok(text)
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let file = paths::workspace().join("tests/bench/RESULTS.md");
        fs::write(&file, self.to_markdown()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        progress::done(&format!("written: {}", file.display()));
        Ok(())
    }

    fn write_setting(&self, text: &mut String) -> anyhow::Result<()> {
        let workerd = workerd::version(&workerd::find_program()?)?;
        let [jose, hono] = ["jose", "hono"].map(bundle::library_version);
        let (jose, hono) = (jose?, hono?);
        let pinning = match self.pinning {
            Pinning::Apart => "workerd on one core, the load on another",
            Pinning::None => "cores not pinned",
        };
        writeln!(text, "\n| | |\n| --- | --- |")?;
        writeln!(text, "| date | {} |", machine::today())?;
        writeln!(text, "| machine | {}; {pinning} |", machine::describe())?;
        writeln!(text, "| versions | {workerd}, jose {jose}, hono {hono} |")?;
        writeln!(text, "| run | {} |", self.plan.describe())?;
        if let Some(load) = self.load_before.filter(|load| *load > QUIET_LOAD) {
            writeln!(text, "| **not quiet** | load {load:.1} before the run |")?;
        }
        Ok(())
    }

    fn write_targets(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Targets\n")?;
        writeln!(
            text,
            "| what | target | found | by CPU | ceiling | |\n| --- | --- | --- | --- | --- | --- |"
        )?;
        for verdict in targets::judge(self.results, self.bundles) {
            let mark = verdict.missed_by.map_or_else(
                || "met".to_owned(),
                |share| format!("**missed by {:.0} %**", share * 100.0),
            );
            let targets::Verdict {
                what,
                wanted,
                found,
                by_cpu,
                ceiling,
                ..
            } = verdict;
            writeln!(
                text,
                "| {what} | {wanted} | {found} | {by_cpu} | {ceiling} | {mark} |"
            )?;
        }
        write!(text, "{NOTES}")?;
        Ok(())
    }

    fn write_cases(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Requests\n")?;
        writeln!(
            text,
            "| Worker | algorithm | tokens | requests/s | of one that checks nothing | p50 ms | p99 ms | CPU µs |"
        )?;
        writeln!(text, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for case in self.results.cases() {
            self.write_case(text, case)?;
        }
        Ok(())
    }

    fn write_case(&self, text: &mut String, case: Case) -> anyhow::Result<()> {
        let (algorithm, tokens) = match (case.worker, case.tokens) {
            (Worker::AnswersItself | Worker::ChecksNothing | Worker::ChecksNothingInRust, _) => {
                ("–", "–")
            }
            (_, Tokens::Seen) => (case.algorithm().name(), "seen before"),
            (_, Tokens::Unseen) => (case.algorithm().name(), "never seen"),
        };
        let per_sec = self.results.summary(case, |sample| sample.per_sec)?;
        let p50 = self.results.summary(case, |sample| sample.p50_millis)?;
        let p99 = self.results.summary(case, |sample| sample.p99_millis)?;
        let cpu = self.results.summary(case, |sample| sample.cpu_micros)?;
        writeln!(
            text,
            "| {} | {algorithm} | {tokens} | {per_sec:.0} | {} | {:.2} | {:.2} | {cpu:.0} |",
            case.worker.label(),
            self.share_of_nothing(case),
            p50.median,
            p99.median,
        )?;
        Ok(())
    }

    fn share_of_nothing(&self, case: Case) -> String {
        Case::new(Worker::ChecksNothing, Algorithm::EdDsa, Tokens::Seen)
            .and_then(|nothing| {
                targets::ratio(self.results, case, nothing, |sample| sample.per_sec)
            })
            .map_or_else(|| "–".to_owned(), |ratio| format!("{:.2}×", ratio.median))
    }

    fn write_bundles(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Size and start\n")?;
        writeln!(
            text,
            "| Worker | bundle KiB | gzipped KiB | first 200 after the start of workerd, ms |"
        )?;
        writeln!(text, "| --- | --- | --- | --- |")?;
        for bundle in self.bundles {
            let start = self
                .results
                .first_response_millis(bundle.worker)
                .map_or_else(|| "–".to_owned(), |start| format!("{start:.0}"));
            writeln!(
                text,
                "| {} | {} | {} | {start} |",
                bundle.worker.label(),
                bundle.bytes.div_ceil(1024),
                bundle.gzipped_bytes.div_ceil(1024),
            )?;
        }
        Ok(())
    }
}
