//! The run as one Markdown document: what was measured on, every row, and the targets.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context;
use stack::{paths, progress};

use super::fastapi;
use super::measure::Plan;
use super::results::{Results, Sample};
use super::route::Route;
use super::service::Service;
use super::targets;
use crate::bench::machine;

/// Above this, somebody else is using the machine.
const QUIET_LOAD: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) results: &'a Results,
    /// Of Postgres and Redis.
    pub(super) store_versions: &'a str,
    pub(super) load_before: Option<f64>,
}

const INTRODUCTION: &str = "\
# The origin beside its peers

Written by `cargo xtask bench origin`; do not edit. Only ratios within one run count.

The same routes three times: the origin; plain axum handlers with the usual store calls and nothing
else (no audit log, no limits, no list, no doubt about Redis); and FastAPI with python-jose, bcrypt,
SQLAlchemy on asyncpg and redis-py, written for speed. All use one Postgres, with commits as durable
as in production, and one Redis; each has its own database there, filled alike. All verify the token,
ask Redis about it, and read the user or the client from Postgres; all rotate a refresh token in one
transaction; all record a logout in Postgres and in Redis. Tokens are signed with EdDSA by the first
two and with HS256 by FastAPI, since python-jose knows no EdDSA and HS256 is the quickest it has. None
writes a log line a request. Services, stores and the load share all cores, and the two services that
are not asked stand idle beside; numbers are medians of the rounds, with the smallest and the largest.
";

const CPU_NOTE: &str = "
CPU is the processor time a request, in µs, by who used it: the service with all its processes,
Postgres, Redis, and the load. `/login` is the hash: each service has its own kind and cost of it.
";

const MEMORY_NOTE: &str = "
Resident memory in MiB, summed over the processes of a service; pages that they share count for each.
The highest is reached in `/login`: a hash of Argon2id takes 19 MiB a core while it runs.
";

impl Report<'_> {
    pub(super) fn to_markdown(&self) -> anyhow::Result<String> {
        let mut text = String::from(INTRODUCTION);
        self.write_setting(&mut text)?;
        self.write_targets(&mut text)?;
        self.write_samples(&mut text)?;
        self.write_memory(&mut text)?;
        Ok(text)
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let file = paths::workspace().join("tests/bench/ORIGIN.md");
        fs::write(&file, self.to_markdown()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        progress::done(&format!("written: {}", file.display()));
        Ok(())
    }

    fn write_setting(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n| | |\n| --- | --- |")?;
        writeln!(text, "| date | {} |", machine::today())?;
        writeln!(
            text,
            "| machine | {}; cores not pinned |",
            machine::describe()
        )?;
        writeln!(text, "| stores | {} |", self.store_versions)?;
        writeln!(text, "| FastAPI | {} |", fastapi::describe()?)?;
        writeln!(text, "| run | {} |", self.plan.describe())?;
        for service in Service::ALL {
            let (label, hash) = (service.label(), service.password_hash());
            writeln!(text, "| password hash of {label} | {hash} |")?;
        }
        if let Some(load) = self.load_before.filter(|load| *load > QUIET_LOAD) {
            writeln!(text, "| **not quiet** | load {load:.1} before the run |")?;
        }
        Ok(())
    }

    fn write_targets(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Targets\n")?;
        writeln!(
            text,
            "| what | target | found | |\n| --- | --- | --- | --- |"
        )?;
        for verdict in targets::judge(self.results) {
            let mark = if verdict.is_met { "met" } else { "**missed**" };
            let targets::Verdict {
                what,
                wanted,
                found,
                ..
            } = verdict;
            writeln!(text, "| {what} | {wanted} | {found} | {mark} |")?;
        }
        Ok(())
    }

    fn write_samples(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Requests\n{CPU_NOTE}")?;
        writeln!(
            text,
            "| route | service | requests/s | p50 ms | p99 ms | CPU | Postgres | Redis | load |"
        )?;
        writeln!(
            text,
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        )?;
        for (route, service) in self.results.keys() {
            self.write_sample(text, route, service)?;
        }
        Ok(())
    }

    fn write_sample(
        &self,
        text: &mut String,
        route: Route,
        service: Service,
    ) -> anyhow::Result<()> {
        let summary = |value: fn(&Sample) -> f64| self.results.summary(route, service, value);
        writeln!(
            text,
            "| {route} | {} | {:.0} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} |",
            service.label(),
            summary(|sample| sample.per_sec)?,
            summary(|sample| sample.p50_millis)?.median,
            summary(|sample| sample.p99_millis)?.median,
            summary(|sample| sample.cpu.service)?,
            summary(|sample| sample.cpu.postgres)?.median,
            summary(|sample| sample.cpu.redis)?.median,
            summary(|sample| sample.cpu.load)?.median,
        )?;
        Ok(())
    }

    fn write_memory(&self, text: &mut String) -> anyhow::Result<()> {
        writeln!(text, "\n## Memory\n{MEMORY_NOTE}")?;
        writeln!(text, "| service | just started | highest | after the run |")?;
        writeln!(text, "| --- | --- | --- | --- |")?;
        for (service, memory) in &self.results.memory {
            writeln!(
                text,
                "| {} | {:.0} | {:.0} | {:.0} |",
                service.label(),
                memory.fresh.now_mib,
                memory.after.peak_mib,
                memory.after.now_mib,
            )?;
        }
        Ok(())
    }
}
