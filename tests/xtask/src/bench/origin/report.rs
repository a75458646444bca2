//! The run as one Markdown document: what was measured on, every row, and the targets.

use super::fastapi;
use super::measure::Plan;
use super::results::{Results, Sample};
use super::route::Route;
use super::service::Service;
use super::targets;
use crate::bench::document::{self, Table};

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
        Ok(format!(
            "{INTRODUCTION}\n{}\n## Targets\n\n{}\n## Requests\n{CPU_NOTE}\n{}\n## Memory\n{MEMORY_NOTE}\n{}",
            self.setting()?,
            self.targets(),
            self.samples()?,
            self.memory(),
        ))
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        document::write("ORIGIN.md", &self.to_markdown()?)
    }

    fn setting(&self) -> anyhow::Result<Table<2>> {
        let mut rows = vec![
            ("stores".to_owned(), self.store_versions.to_owned()),
            ("FastAPI".to_owned(), fastapi::describe()?),
            ("run".to_owned(), self.plan.describe()),
        ];
        for service in Service::ALL {
            let name = format!("password hash of {}", service.label());
            rows.push((name, service.password_hash().to_owned()));
        }
        Ok(document::setting(
            "cores not pinned",
            &rows,
            self.load_before,
        ))
    }

    fn targets(&self) -> Table<4> {
        let mut table = Table::new(["what", "target", "found", ""]);
        for verdict in targets::judge(self.results) {
            let mark = if verdict.is_met { "met" } else { "**missed**" };
            let targets::Verdict {
                what,
                wanted,
                found,
                ..
            } = verdict;
            table.row([&what, &wanted, &found, mark]);
        }
        table
    }

    fn samples(&self) -> anyhow::Result<Table<9>> {
        let mut table = Table::new([
            "route",
            "service",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU",
            "Postgres",
            "Redis",
            "load",
        ]);
        for (route, service) in self.results.keys() {
            table.row(self.sample(route, service)?);
        }
        Ok(table)
    }

    fn sample(&self, route: Route, service: Service) -> anyhow::Result<[String; 9]> {
        let summary = |value: fn(&Sample) -> f64| self.results.summary(route, service, value);
        Ok([
            route.to_string(),
            service.label().to_owned(),
            format!("{:.0}", summary(|sample| sample.per_sec)?),
            format!("{:.1}", summary(|sample| sample.p50_millis)?.median),
            format!("{:.1}", summary(|sample| sample.p99_millis)?.median),
            format!("{:.0}", summary(|sample| sample.cpu.service)?),
            format!("{:.0}", summary(|sample| sample.cpu.postgres)?.median),
            format!("{:.0}", summary(|sample| sample.cpu.redis)?.median),
            format!("{:.0}", summary(|sample| sample.cpu.load)?.median),
        ])
    }

    fn memory(&self) -> Table<4> {
        let mut table = Table::new(["service", "just started", "highest", "after the run"]);
        for (service, memory) in &self.results.memory {
            table.row([
                service.label().to_owned(),
                format!("{:.0}", memory.fresh.now_mib),
                format!("{:.0}", memory.after.peak_mib),
                format!("{:.0}", memory.after.now_mib),
            ]);
        }
        table
    }
}
