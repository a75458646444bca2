//! `cargo xtask bench list`: codings of the list beside each other, and the whole list as an edge holds
//! it, natively and in workerd. Every coding is held to the same answers before it is timed.

mod coding;
mod host;
mod native;
mod report;
mod update;
mod whole;
mod workerd;

use clap::Args;
use list_bench::coding::Kind;

use self::coding::CodingRow;
use self::host::{Host, Where};
use self::report::Report;
use self::whole::WholeRow;
use super::machine::{self, Pinning};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask bench list --entries 1000000   only this size; \
                        prints the table, and writes none"
)]
pub(crate) struct Options {
    /// One short round of small lists, to see that it works; writes no table
    #[arg(long)]
    quick: bool,
    /// Only lists of this many entries; may be given again; writes no table
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=20_000_000))]
    entries: Vec<u64>,
    /// Only codings whose name holds this; `whole` is the whole list; writes no table
    #[arg(long)]
    only: Option<String>,
}

/// What `--only` knows the whole list by.
const WHOLE: &str = "whole";

/// How much is asked.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    sizes: Vec<u64>,
    only: Option<String>,
    /// Those that count; one before them is not counted.
    rounds: u64,
    questions: u64,
    strangers: u64,
    updates: u64,
}

impl Plan {
    fn new(options: &Options) -> Self {
        let sizes = match (options.entries.as_slice(), options.quick) {
            ([], false) => vec![10_000, 1_000_000, 10_000_000],
            ([], true) => vec![10_000, 100_000],
            (sizes, _) => sizes.to_vec(),
        };
        let (rounds, questions, strangers, updates) = if options.quick {
            (1, 1 << 16, 100_000, 10)
        } else {
            (3, 1 << 20, 1_000_000, 100)
        };
        Self {
            sizes,
            only: options.only.clone(),
            rounds,
            questions,
            strangers,
            updates,
        }
    }

    fn wants(&self, name: &str) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| name.to_lowercase().contains(&only.to_lowercase()))
    }

    fn describe(&self) -> String {
        format!(
            "{} rounds of {} questions after one that does not count, the median shown; {} strangers \
             in the check; {} updates of each kind",
            self.rounds, self.questions, self.strangers, self.updates
        )
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let plan = Plan::new(options);
    let worker = workerd::build()?;
    let load_before = machine::load_average();
    // Only now: the build before it needs every core.
    let pinning = Pinning::arrange();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (codings, lists) = runtime.block_on(measure_all(&plan, &worker, pinning))?;
    let report = Report {
        plan: &plan,
        codings: &codings,
        lists: &lists,
        pinning,
        load_before,
    };
    print!("{}", report.to_markdown()?);
    if options.quick || options.only.is_some() || !options.entries.is_empty() {
        return Ok(());
    }
    report.write()
}

async fn measure_all(
    plan: &Plan,
    worker: &workerd::Bundle,
    pinning: Pinning,
) -> anyhow::Result<(Vec<CodingRow>, Vec<WholeRow>)> {
    let (mut codings, mut lists) = (Vec::new(), Vec::new());
    for entries in &plan.sizes {
        for kind in Kind::ALL
            .into_iter()
            .filter(|kind| plan.wants(kind.label()))
        {
            eprint!("  · {entries} entries, {} …", kind.label());
            let row = coding::measure(kind, *entries, plan, worker, pinning)
                .await
                .inspect_err(|_| eprintln!())?;
            eprintln!(" {row}");
            codings.push(row);
        }
        for place in Where::ALL.into_iter().filter(|_| plan.wants(WHOLE)) {
            eprint!("  · {entries} entries, the whole list, {} …", place.name());
            let mut host = Host::start(place, worker, pinning).await?;
            let row = whole::measure(&mut host, *entries, plan)
                .await
                .inspect_err(|_| eprintln!())?;
            eprintln!(" {row}");
            lists.push(row);
        }
    }
    Ok((codings, lists))
}
