//! `cargo xtask test`: every test, with the servers and the Worker that they need.

use std::process::Command;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use stack::{Durability, Postgres, Redis, paths, progress};

use crate::cargo_test::{self, Outcome};
use crate::{build_edge, build_origin};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// Run only the tests whose names contain this
    filter: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Everything below
    All,
    /// The crates by themselves: shared, edge, and the tooling
    Unit,
    /// The origin, on SQLite and on real Postgres and Redis
    Api,
    /// Origins that are killed between any two steps of publishing, on real Postgres
    Faults,
    /// Origin, stores and the Worker in workerd together
    E2e,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let outcomes = match options.part {
        Part::Unit => vec![test_unit(options)?],
        Part::Api => vec![test_origin(options, "API", &["--package", "origin"])?],
        Part::Faults => vec![test_faults(options)?],
        Part::E2e => vec![test_end_to_end(options)?],
        // One `cargo test` for unit and API: cargo builds every dependency once for both.
        Part::All => vec![
            test_origin(
                options,
                "unit and API",
                &["--workspace", "--exclude", "e2e"],
            )?,
            // Before the end-to-end tests, which build the origin without fault points again.
            test_faults(options)?,
            test_end_to_end(options)?,
        ],
    };
    println!();
    for outcome in &outcomes {
        println!("{outcome}");
    }
    ensure!(
        outcomes.iter().all(Outcome::is_success),
        "not every test passed"
    );
    // One part may have none of that name where all of them are asked.
    ensure!(
        outcomes.iter().any(Outcome::ran_any),
        "no test ran{}",
        describe(options.filter.as_deref())
    );
    Ok(())
}

fn describe(filter: Option<&str>) -> String {
    filter.map_or_else(String::new, |name| {
        format!(": none of these has {name:?} in its name")
    })
}

fn test_unit(options: &Options) -> anyhow::Result<Outcome> {
    let others = ["--workspace", "--exclude", "e2e", "--exclude", "origin"];
    cargo_test::run("unit", &mut cargo_test(&others, options.filter.as_deref()))
}

fn test_origin(options: &Options, name: &str, packages: &[&str]) -> anyhow::Result<Outcome> {
    let servers = Servers::start()?;
    let mut command = cargo_test(packages, options.filter.as_deref());
    cargo_test::run(name, servers.give_to(&mut command))
}

/// A build of its own, of the origin alone.
fn test_faults(options: &Options) -> anyhow::Result<Outcome> {
    let servers = Servers::start()?;
    let packages = ["--workspace", "--exclude", "e2e", "--test", "publisher"];
    let filter = options.filter.as_deref().unwrap_or("fault_points");
    let mut command = cargo_test(&packages, Some(filter));
    command.args(["--features", "origin/fault-points"]);
    cargo_test::run("faults", servers.give_to(&mut command))
}

fn test_end_to_end(options: &Options) -> anyhow::Result<Outcome> {
    build_edge::build_default()?;
    build_edge::build_for_tests()?;
    build_origin::build()?;
    install_python_clients()?;
    cargo_test::run(
        "end to end",
        &mut cargo_test(&["--workspace", "--test", "e2e"], options.filter.as_deref()),
    )
}

/// Those for Node come with the npm packages that the Worker is built with.
fn install_python_clients() -> anyhow::Result<()> {
    let requirements = paths::workspace().join("tests/e2e/clients/requirements.txt");
    stack::install_python_packages(&paths::client_environment(), &requirements).map(drop)
}

fn cargo_test(packages: &[&str], filter: Option<&str>) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["test", "--no-fail-fast"])
        .args(packages)
        .args(filter)
        .current_dir(paths::workspace());
    command
}

/// Private servers for the tests that ask for them by URL.
struct Servers {
    postgres: Postgres,
    redis: Redis,
}

impl Servers {
    fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let logs = paths::logs();
        runtime.block_on(progress::during("starting Postgres and Redis", async {
            Ok(Self {
                postgres: Postgres::start(&logs, Durability::Throwaway).await?,
                redis: Redis::start(&logs).await?,
            })
        }))
    }

    fn give_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("TEST_DATABASE_URL", self.postgres.url())
            .env("TEST_REDIS_URL", self.redis.url())
    }
}
