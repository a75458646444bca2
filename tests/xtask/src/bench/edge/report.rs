//! The run as one Markdown document: what was measured on, every row, and the targets.

use std::fs;

use anyhow::Context;
use shared::Algorithm;
use stack::paths;

use super::bundle::{self, Bundle};
use super::case::{Case, Tokens};
use super::measure::Plan;
use super::results::Results;
use super::targets;
use super::worker::Worker;
use crate::bench::document::{self, Table};
use crate::bench::machine::Pinning;
use crate::bench::workerd;

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
        Ok(format!(
            "{INTRODUCTION}\n{}\n## Targets\n\n{}{NOTES}\n## Requests\n\n{}\n## Size and start\n\n{}\n{}",
            self.setting()?,
            self.targets(),
            self.cases()?,
            self.bundles(),
            read_profile()?,
        ))
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        document::write("RESULTS.md", &self.to_markdown()?)
    }

    fn setting(&self) -> anyhow::Result<Table<2>> {
        let workerd = workerd::version(&workerd::find_program()?)?;
        let [jose, hono] = ["jose", "hono"].map(bundle::library_version);
        let versions = format!("{workerd}, jose {}, hono {}", jose?, hono?);
        let pinning = match self.pinning {
            Pinning::Apart => "workerd on one core, the load on another",
            Pinning::None => "cores not pinned",
        };
        let rows = [
            ("versions".to_owned(), versions),
            ("run".to_owned(), self.plan.describe()),
        ];
        Ok(document::setting(pinning, &rows, self.load_before))
    }

    fn targets(&self) -> Table<6> {
        let mut table = Table::new(["what", "target", "found", "by CPU", "ceiling", ""]);
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
            table.row([what, wanted, found, by_cpu, ceiling, mark]);
        }
        table
    }

    fn cases(&self) -> anyhow::Result<Table<8>> {
        let mut table = Table::new([
            "Worker",
            "algorithm",
            "tokens",
            "requests/s",
            "of one that checks nothing",
            "p50 ms",
            "p99 ms",
            "CPU µs",
        ]);
        for case in self.results.cases() {
            table.row(self.case(case)?);
        }
        Ok(table)
    }

    fn case(&self, case: Case) -> anyhow::Result<[String; 8]> {
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
        Ok([
            case.worker.label().to_owned(),
            algorithm.to_owned(),
            tokens.to_owned(),
            format!("{per_sec:.0}"),
            self.share_of_nothing(case),
            format!("{:.2}", p50.median),
            format!("{:.2}", p99.median),
            format!("{cpu:.0}"),
        ])
    }

    fn share_of_nothing(&self, case: Case) -> String {
        Case::new(Worker::ChecksNothing, Algorithm::EdDsa, Tokens::Seen)
            .and_then(|nothing| {
                targets::ratio(self.results, case, nothing, |sample| sample.per_sec)
            })
            .map_or_else(|| "–".to_owned(), |ratio| format!("{:.2}×", ratio.median))
    }

    fn bundles(&self) -> Table<4> {
        let mut table = Table::new([
            "Worker",
            "bundle KiB",
            "gzipped KiB",
            "first 200 after the start of workerd, ms",
        ]);
        for bundle in self.bundles {
            let start = self.results.first_response_millis(bundle.worker);
            table.row([
                bundle.worker.label().to_owned(),
                bundle.bytes.div_ceil(1024).to_string(),
                bundle.gzipped_bytes.div_ceil(1024).to_string(),
                start.map_or_else(|| "–".to_owned(), |start| format!("{start:.0}")),
            ]);
        }
        table
    }
}
