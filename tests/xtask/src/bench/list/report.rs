//! The run as one Markdown document.

use super::Plan;
use super::coding::{CodingRow, Outcome, Sample};
use super::host::Where;
use super::update::{NEW_ENTRIES, Series};
use super::whole::WholeRow;
use crate::bench::document::{self, Table};
use crate::bench::machine::Pinning;
use crate::bench::workerd;

const MIB: f64 = 1024.0 * 1024.0;
const MAX_MIB: f64 = 64.0;
const MAX_UPDATE_MILLIS: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) codings: &'a [CodingRow],
    pub(super) lists: &'a [WholeRow],
    pub(super) pinning: Pinning,
    pub(super) load_before: Option<f64>,
}

const INTRODUCTION: &str = "\
# The list and other codings of it

Written by `cargo xtask bench list`; do not edit. Only ratios within one run count.

The same names in each coding, asked natively and as Wasm in workerd, where one request asks them all
(the time is taken from outside, less that of a request that does nothing). Before it is timed, a coding
is asked for every entry and for strangers; one that misses an entry, or finds more strangers than the
bits that it keeps promise, shows that instead of a time. Ours and those beside it keep 56 bits of a name;
sorted `u64` keep 64, the text 128, and the filter 16 bits of a hash, so it takes one stranger in 65,536 for
revoked and has no room for a cut-off's time. Ours at ten millions is three segments, the fewest that Workers KV takes; all
of them are searched, without the filters that the whole list has.
";

const CODING_NOTES: &str = "
Bytes are those that travel. The bound is `log2 C(2^w, n) / n`, the least for names of `w` bits (for the
filter the `log2` of its rate of false answers). Ready is from the bytes in memory to the first answer,
without a hash of them; MiB is all memory of the Wasm instance by then, what it took to receive the
bytes included. Hit and miss are ns a question, with the loop that asks. Strangers found are of those of
the check.
";

const LIST_NOTES: &str = "
The real `RevocationList`: of each size as many segments as the publisher's merging ever leaves, a tenth
of the entries cut-offs, and a tail; one name is looked up in all of it (a token has three). Each segment
has a filter, which spares most names a search. Ready is from the bytes in memory to the first answer, the
signature, the hash of every segment by the host and the filters included.
";

const UPDATE_NOTES: &str = "
A head whose list has 10,000 entries more: a segment of 7,281 (a full tail) and a tail of 2,719, from the
bytes in memory to the list in place. With the signature and the segment's hash by the host, as an edge has
them; and without a signature, hashed by the code in `shared`. The first one meets code that the
engine has not optimised yet. CPU is of the whole workerd process a request, the request itself
included, by a clock of 10 ms over the series.
";

impl Report<'_> {
    pub(super) fn to_markdown(&self) -> anyhow::Result<String> {
        Ok(format!(
            "{INTRODUCTION}\n{}\n## Targets\n\n{}\n## Codings\n{CODING_NOTES}\n{}\n## The whole list\n{LIST_NOTES}\n{}\n## A new head with {NEW_ENTRIES} new entries\n{UPDATE_NOTES}\n{}",
            self.setting()?,
            self.targets(),
            self.codings(),
            self.lists(),
            self.updates(),
        ))
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        document::write("LIST.md", &self.to_markdown()?)
    }

    fn setting(&self) -> anyhow::Result<Table<2>> {
        let rows = [
            (
                "Wasm".to_owned(),
                workerd::version(&workerd::find_program()?)?,
            ),
            ("run".to_owned(), self.plan.describe()),
        ];
        let pinning = match self.pinning {
            Pinning::Apart => "workerd on one core, the rest on another",
            Pinning::None => "cores not pinned",
        };
        Ok(document::setting(pinning, &rows, self.load_before))
    }

    /// Section 13 of the design.
    fn targets(&self) -> Table<4> {
        let mut table = Table::new(["what", "target", "found", ""]);
        let mut judge = |what: &str, target: &str, found: String, is_met: bool| {
            let mark = if is_met { "met" } else { "**missed**" };
            table.row([what, target, &found, mark]);
        };
        for list in self.lists.iter().filter(|list| list.place == Where::Wasm) {
            let entries = list.entries;
            let most_nanos = match entries {
                0..=1_000_000 => 1_000.0,
                _ => 2_000.0,
            };
            let nanos = list.hit_nanos.max(list.miss_nanos);
            judge(
                &format!("look-up in the list, {entries} entries, Wasm"),
                &format!("≤ {most_nanos:.0} ns"),
                format!("{nanos:.0} ns"),
                nanos <= most_nanos,
            );
            let mib = to_mib(list.memory_bytes);
            judge(
                &format!("memory of the Wasm instance, {entries} entries"),
                &format!("≤ {MAX_MIB:.0} MiB"),
                format!("{mib:.0} MiB"),
                mib <= MAX_MIB,
            );
            let millis = list.verified.cpu_millis.unwrap_or(f64::NAN);
            judge(
                &format!("new head with {NEW_ENTRIES} new entries, {entries} before, CPU"),
                &format!("≤ {MAX_UPDATE_MILLIS:.0} ms"),
                format!("{millis:.2} ms"),
                millis <= MAX_UPDATE_MILLIS,
            );
        }
        table
    }

    fn codings(&self) -> Table<13> {
        let mut table = Table::new([
            "coding",
            "entries",
            "bytes/entry",
            "bound",
            "ratio",
            "hit",
            "miss",
            "ready ms",
            "Wasm hit",
            "Wasm miss",
            "Wasm ready ms",
            "MiB",
            "strangers found",
        ]);
        for row in self.codings {
            table.row(cells(row));
        }
        table
    }

    fn lists(&self) -> Table<7> {
        let mut table = Table::new([
            "entries", "segments", "where", "hit ns", "miss ns", "ready ms", "MiB",
        ]);
        for list in self.lists {
            table.row([
                list.entries.to_string(),
                list.segments.to_string(),
                list.place.name().to_owned(),
                format!("{:.0}", list.hit_nanos),
                format!("{:.0}", list.miss_nanos),
                format!("{:.2}", list.ready.as_secs_f64() * 1e3),
                memory(list.memory_bytes),
            ]);
        }
        table
    }

    fn updates(&self) -> Table<6> {
        let mut table = Table::new([
            "entries before",
            "where",
            "signature and hash",
            "first ms",
            "ms",
            "CPU ms",
        ]);
        for list in self.lists {
            for (how, series) in [
                ("by the host", &list.verified),
                ("none; by `shared`", &list.unverified),
            ] {
                let [first, millis, cpu] = series_cells(series);
                let entries = list.entries.to_string();
                table.row([&entries, list.place.name(), how, &first, &millis, &cpu]);
            }
        }
        table
    }
}

fn cells(row: &CodingRow) -> [String; 13] {
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let bytes = row.bytes as f64 / row.entries as f64;
    let bound = row.kind.bound_bits(row.entries).map(|bits| bits / 8.0);
    let none = || "–".to_owned();
    let [hit, miss, ready, _] = outcome_cells(&row.native);
    let [wasm_hit, wasm_miss, wasm_ready, mib] = outcome_cells(&row.wasm);
    [
        row.kind.label().to_owned(),
        row.entries.to_string(),
        bound.map_or_else(none, |_| format!("{bytes:.2}")),
        bound.map_or_else(none, |bound| format!("{bound:.2}")),
        bound.map_or_else(none, |bound| format!("{:.2}", bytes / bound)),
        hit,
        miss,
        ready,
        wasm_hit,
        wasm_miss,
        wasm_ready,
        mib,
        strangers_found(&row.native),
    ]
}

fn strangers_found(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Timed(sample) => sample.false_hits.to_string(),
        Outcome::Wrong(_) => "–".to_owned(),
    }
}

/// Hit, miss, ready, memory.
fn outcome_cells(outcome: &Outcome) -> [String; 4] {
    match outcome {
        Outcome::Timed(Sample {
            hit_nanos,
            miss_nanos,
            ready,
            memory_bytes,
            ..
        }) => [
            format!("{hit_nanos:.0}"),
            format!("{miss_nanos:.0}"),
            format!("{:.3}", ready.as_secs_f64() * 1e3),
            memory(*memory_bytes),
        ],
        Outcome::Wrong(reason) => [
            format!("**{reason}**"),
            "–".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
        ],
    }
}

fn series_cells(series: &Series) -> [String; 3] {
    let cpu = series.cpu_millis;
    [
        format!("{:.2}", series.first.as_secs_f64() * 1e3),
        format!("{:.2}", series.millis),
        cpu.map_or_else(|| "–".to_owned(), |millis| format!("{millis:.2}")),
    ]
}

fn memory(bytes: u64) -> String {
    match bytes {
        0 => "–".to_owned(),
        bytes => format!("{:.1}", to_mib(bytes)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn to_mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
