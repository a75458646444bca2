//! The measurements as Markdown: tests/bench/REVOKE.md.

use std::fmt::Write;
use std::time::Duration;

use super::background::RATE;
use super::lanes::{Lanes, Times};
use super::waiters::Outcome;
use crate::bench::machine;

pub(super) fn render(times: &[Times], waiters: &Outcome) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_lanes(&mut text, times);
    let _ = write_waiters(&mut text, waiters);
    text
}

fn write_lanes(text: &mut String, times: &[Times]) -> std::fmt::Result {
    writeln!(
        text,
        "# How fast a revocation is\n\n\
         Written by `cargo xtask bench revoke` on {}: {}. The origin is a release build on embedded\n\
         stores, the edge is the built Worker under `wrangler dev`, KV is its local one; all on this one\n\
         machine, with default settings. Load average at the end: {}.\n\n\
         ## From the logout's 200 to the edge's own 401\n\n\
         Asked without a pause, on a path that only the edge guards. Beside it {RATE} requests a second to\n\
         the edge and {RATE} to the origin.\n\n\
         | lanes | logouts | p50 | p95 | p99 | longest | target | |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |",
        machine::today(),
        machine::describe(),
        machine::load_average().map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}")),
    )?;
    for row in times {
        let (target, is_met) = judge(row);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {target} | {} |",
            row.lanes.name(),
            row.logouts.count(),
            millis(row.logouts.at(50)),
            millis(row.logouts.at(95)),
            millis(row.logouts.at(99)),
            millis(row.logouts.max()),
            if is_met { "met" } else { "missed" },
        )?;
    }
    for row in times {
        let (answered, failed) = row.background;
        writeln!(
            text,
            "\nBeside \"{}\": {answered} requests answered 200, {failed} not.",
            row.lanes.name()
        )?;
    }
    Ok(())
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

fn write_waiters(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let mib = |kib: u64| kib.div_ceil(1024);
    writeln!(
        text,
        "\n## One origin with {} hanging requests\n\n\
         Raw sockets in one process on the same machine, which takes its share of it; {} more connections\n\
         ask for whole lists and read none. Median (longest) of {} logouts, from the logout's 200.\n\n\
         | what | measured |\n\
         | --- | --- |\n\
         | the first waiter has the list after | {} ({}) |\n\
         | the last waiter has the list after | {} ({}) |\n\
         | message for each | {} bytes |\n\
         | memory of the origin: idle, all waiting, highest | {}, {}, {} MiB |\n\
         | from SIGTERM to its end, all waiting | {} |",
        outcome.waiters,
        outcome.slow_readers,
        outcome.first.count(),
        millis(outcome.first.at(50)),
        millis(outcome.first.max()),
        millis(outcome.last.at(50)),
        millis(outcome.last.max()),
        outcome.body_bytes,
        mib(outcome.idle_kib),
        mib(outcome.waiting_kib),
        mib(outcome.highest_kib),
        millis(outcome.end_took),
    )
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}
