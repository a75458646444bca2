//! The measurements as Markdown: tests/bench/REVOKE.md.

use std::time::Duration;

use super::background::RATE;
use super::lanes::{Lanes, Times};
use super::waiters::Outcome;
use crate::bench::document::{self, Table};

#[derive(Debug)]
pub(super) struct Report<'a> {
    /// What is known of the origin that was measured.
    pub(super) origin: &'a str,
    pub(super) times: &'a [Times],
    /// `None` where only some of it was asked for.
    pub(super) waiters: Option<&'a Outcome>,
    pub(super) load_before: Option<f64>,
}

const INTRODUCTION: &str = "\
# How fast a revocation is

Written by `cargo xtask bench revoke`; do not edit. The edge is the built Worker under `wrangler dev`, KV
is its local one; stores are embedded; all on one machine, with default settings.
";

impl Report<'_> {
    pub(super) fn to_markdown(&self) -> String {
        let setting = document::setting(
            "cores not pinned",
            &[("origin".to_owned(), self.origin.to_owned())],
            self.load_before,
        );
        let mut text = format!(
            "{INTRODUCTION}\n{setting}\n\
             ## From the logout's 200 to the edge's own 401\n\n\
             Asked without a pause, on a path that only the edge guards. Beside it {RATE} requests a second\n\
             to the edge and {RATE} to the origin, with a token that nobody revokes.\n\n{}\n\
             What came back beside it. Everything but 200 is a line of its own, with the times, since the\n\
             requests began, of the first and the last.\n\n{}",
            self.lanes(),
            self.answers(),
        );
        if let Some(outcome) = self.waiters {
            text.push_str(&waiters(outcome));
        }
        text
    }

    fn lanes(&self) -> Table<8> {
        let mut table = Table::new([
            "lanes", "logouts", "p50", "p95", "p99", "longest", "target", "",
        ]);
        for row in self.times {
            let (target, is_met) = judge(row);
            table.row([
                row.lanes.name().to_owned(),
                row.logouts.count().to_string(),
                millis(row.logouts.at(50)),
                millis(row.logouts.at(95)),
                millis(row.logouts.at(99)),
                millis(row.logouts.max()),
                target.to_owned(),
                (if is_met { "met" } else { "**missed**" }).to_owned(),
            ]);
        }
        table
    }

    fn answers(&self) -> Table<5> {
        let mut table = Table::new(["lanes", "asked", "answer", "requests", "from – to"]);
        for row in self.times {
            let lanes = row.lanes.name();
            table.row([lanes, "both", "200", &row.beside.good().to_string(), ""]);
            for (asked, name, others) in row.beside.others() {
                let span = format!("{} – {}", millis(others.first), millis(others.last));
                let count = others.count.to_string();
                table.row([lanes, asked.name(), name, &count, &span]);
            }
        }
        table
    }
}

/// Section 13 of the design.
fn judge(row: &Times) -> (&'static str, bool) {
    match row.lanes {
        Lanes::Both | Lanes::PullAlone => (
            "p50 ≤ 100 ms, p99 ≤ 500 ms",
            row.logouts.at(50) <= Duration::from_millis(100)
                && row.logouts.at(99) <= Duration::from_millis(500),
        ),
        Lanes::KvAlone => ("≤ 3 s", row.logouts.max() <= Duration::from_secs(3)),
    }
}

fn waiters(outcome: &Outcome) -> String {
    let mib = |kib: u64| kib.div_ceil(1024);
    let median_and_longest = |times: &super::percentiles::Percentiles| {
        format!("{} ({})", millis(times.at(50)), millis(times.max()))
    };
    let mut table = Table::new(["what", "measured"]);
    table.row([
        "the first waiter has the list after",
        &median_and_longest(&outcome.first),
    ]);
    table.row([
        "the last waiter has the list after",
        &median_and_longest(&outcome.last),
    ]);
    table.row(["message for each", &format!("{} bytes", outcome.body_bytes)]);
    table.row([
        "memory of the origin: idle, all waiting, highest",
        &format!(
            "{}, {}, {} MiB",
            mib(outcome.idle_kib),
            mib(outcome.waiting_kib),
            mib(outcome.highest_kib)
        ),
    ]);
    table.row([
        "from SIGTERM to its end, all waiting",
        &millis(outcome.end_took),
    ]);
    format!(
        "\n## One origin with {} hanging requests\n\n\
         Raw sockets in one process on the same machine, which takes its share of it; {} more connections\n\
         ask for whole lists and read none. Median (longest) of {} logouts, from the logout's 200.\n\n\
         {table}",
        outcome.waiters,
        outcome.slow_readers,
        outcome.first.count(),
    )
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}
