//! One run: the stores, the three services on them, filled alike, and what was measured so far.

use stack::{Durability, Postgres, Redis, paths};

use super::cpu::Around;
use super::measure::{self, PASSWORD, Plan, Supply};
use super::process_tree::{self, Memory};
use super::results::{Footprint, Results};
use super::route::Route;
use super::seed;
use super::server::{Server, Stores};
use super::service::Service;

#[derive(Debug)]
pub(super) struct Run {
    plan: Plan,
    /// First, since what is first ends first: the stores outlive those who use them.
    contenders: Vec<Contender>,
    stores: Stores,
    pub(super) results: Results,
}

/// A service that runs, and what it is asked with.
#[derive(Debug)]
struct Contender {
    server: Server,
    supply: Supply,
    /// Its memory before the first request.
    fresh: Memory,
}

impl Run {
    pub(super) async fn start(plan: Plan) -> anyhow::Result<Self> {
        let folder = paths::target().join("bench/origin");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let mut run = Self {
            plan,
            contenders: Vec::new(),
            stores: Stores {
                postgres: Postgres::start(&folder, Durability::AsInProduction).await?,
                redis: Redis::start(&folder).await?,
                folder,
            },
            results: Results::default(),
        };
        for service in Service::ALL {
            let contender = run.start_service(service).await?;
            run.contenders.push(contender);
        }
        Ok(run)
    }

    async fn start_service(&mut self, service: Service) -> anyhow::Result<Contender> {
        eprintln!("  · starting {}", service.id());
        let mut server = Server::start(service, &self.stores).await?;
        let fresh = process_tree::memory(server.process_id())?;
        server.register("first@example.com", PASSWORD).await?;
        let sessions = self.plan.sessions(service);
        let tokens = seed::fill(&self.stores.postgres, service.id(), sessions)?;
        let supply = Supply::make(&server, tokens).await?;
        Ok(Contender {
            server,
            supply,
            fresh,
        })
    }

    /// Each service in turn; every round begins with another.
    pub(super) async fn measure_all(&mut self, route: Route, round: usize) -> anyhow::Result<()> {
        let around = Around {
            postgres: self.stores.postgres.process().id(),
            redis: self.stores.redis.process().id(),
        };
        self.contenders.rotate_left(1);
        for Contender { server, supply, .. } in &mut self.contenders {
            let service = server.service;
            eprint!("  · round {}: {route} by {} … ", round + 1, service.id());
            let sample = measure::measure(server, route, supply, self.plan, around)
                .await
                .inspect_err(|_| eprintln!())?;
            eprintln!("{:.0}/s, {:.0} µs CPU", sample.per_sec, sample.cpu.service);
            self.results.add(route, service, sample);
        }
        Ok(())
    }

    /// To be called when all is measured.
    pub(super) fn note_memory(&mut self) -> anyhow::Result<()> {
        for Contender { server, fresh, .. } in &mut self.contenders {
            let memory = Footprint {
                fresh: *fresh,
                after: process_tree::memory(server.process_id())?,
            };
            self.results.memory.insert(server.service, memory);
        }
        Ok(())
    }

    /// Of Postgres and Redis.
    pub(super) fn store_versions(&self) -> anyhow::Result<String> {
        let postgres = self
            .stores
            .postgres
            .query("postgres", "SHOW server_version")?;
        let info = self.stores.redis.command(&["INFO", "server"])?.concat();
        let redis = info
            .lines()
            .find_map(|line| line.strip_prefix("redis_version:"))
            .unwrap_or("of an unknown version");
        Ok(format!("PostgreSQL {postgres}, Redis {redis}"))
    }
}
