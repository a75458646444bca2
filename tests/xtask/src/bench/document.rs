//! What the documents of all benchmarks have alike: tables in Markdown, the setting of a run, and the
//! folder that they go to.

use std::fmt;
use std::fs;

use anyhow::Context;
use stack::{paths, progress};

use super::machine;

/// Above this, somebody else is using the machine.
const QUIET_LOAD: f64 = 0.5;

/// A table of `N` columns.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    text: String,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(header: [&str; N]) -> Self {
        let mut table = Self {
            text: String::new(),
        };
        table.row(header);
        table.row(["---"; N]);
        table
    }

    pub(super) fn row(&mut self, cells: [impl AsRef<str>; N]) {
        for cell in cells {
            self.text.push_str("| ");
            self.text.push_str(cell.as_ref());
            self.text.push(' ');
        }
        self.text.push_str("|\n");
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// When, on what, `rows`, and whether the machine was left alone.
pub(super) fn setting(
    machine_note: &str,
    rows: &[(String, String)],
    load_before: Option<f64>,
) -> Table<2> {
    let mut table = Table::new(["", ""]);
    table.row(["date", &machine::today()]);
    table.row([
        "machine",
        &format!("{}; {machine_note}", machine::describe()),
    ]);
    for (name, value) in rows {
        table.row([name, value]);
    }
    let load = load_before.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}"));
    if load_before.is_some_and(|load| load > QUIET_LOAD) {
        table.row(["**not quiet**", &format!("load {load} before the run")]);
    } else {
        table.row(["load before the run", &load]);
    }
    table
}

/// Leaves the text as `tests/bench/{name}`.
pub(super) fn write(name: &str, text: &str) -> anyhow::Result<()> {
    let file = paths::workspace().join("tests/bench").join(name);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    progress::done(&format!("written: {}", file.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_under_its_header_and_one_for_each_row() {
        let mut table = Table::new(["what", "found"]);
        table.row(["a", "1"]);
        assert_eq!(
            table.to_string(),
            "| what | found |\n| --- | --- |\n| a | 1 |\n"
        );
    }
}
