//! How one route of one service is measured, how long, and with which requests.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::ensure;

use super::cpu::{Around, Watch};
use super::load;
use super::results::Sample;
use super::route::{self, Route};
use super::seed::{self, USERS};
use super::server::Server;
use super::service::Service;
use super::stock::{Pair, Stock};
use crate::bench::ensure_finite;

pub(super) const PASSWORD: &str = "a passphrase for the benchmark";
const CONNECTIONS: usize = 16;

#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    warm_up: Duration,
    max_time: Duration,
}

impl Plan {
    pub(super) fn new(quick: bool, rounds: Option<usize>) -> Self {
        let (usual_rounds, max_time) = if quick { (1, 1_000) } else { (5, 2_000) };
        Self {
            rounds: rounds.unwrap_or(usual_rounds).max(1),
            warm_up: Duration::from_millis(300),
            max_time: Duration::from_millis(max_time),
        }
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "{} rounds; {CONNECTIONS} connections, {} for `/login`; a measurement takes {:.1} s after \
             {:.1} s of warming up; {USERS} users",
            self.rounds,
            Route::Login.connections(),
            self.max_time.as_secs_f64(),
            self.warm_up.as_secs_f64()
        )
    }

    /// How many sessions a service needs over the run: those of the first two routes, those that
    /// are refreshed, and for each round those that are ended.
    pub(super) fn sessions(&self, service: Service) -> usize {
        2 * USERS + self.rounds * service.sessions_a_round()
    }
}

/// What a service is asked with.
#[derive(Debug)]
pub(super) struct Supply {
    me: Stock,
    introspect: Stock,
    refresh: Stock,
    login: Stock,
    /// Refresh tokens of sessions that nobody has used yet.
    untouched: Vec<String>,
}

impl Supply {
    pub(super) async fn make(server: &Server, mut sessions: Vec<String>) -> anyhow::Result<Self> {
        let rotating = sessions.split_off(sessions.len() - USERS);
        let long_lived = sessions.split_off(sessions.len() - USERS);
        let pairs = load::refresh_all(server.address, CONNECTIONS, &long_lived).await?;
        let tokens = || pairs.iter().map(|pair| pair.access_token.as_str());
        Ok(Self {
            me: Stock::InTurn(tokens().map(route::me).collect()),
            introspect: Stock::InTurn(
                tokens()
                    .map(|token| route::introspect(&server.client, token))
                    .collect(),
            ),
            refresh: Stock::Rotating(rotating.into()),
            login: Stock::InTurn(
                (1..=USERS)
                    .map(|number| route::log_in(&seed::email(number), PASSWORD))
                    .collect(),
            ),
            untouched: sessions,
        })
    }

    /// Access tokens of sessions that are all still open.
    async fn logouts(&mut self, server: &Server) -> anyhow::Result<Stock> {
        let count = server.service.sessions_a_round().min(self.untouched.len());
        let sessions = self.untouched.split_off(self.untouched.len() - count);
        let pairs = load::refresh_all(server.address, CONNECTIONS, &sessions).await?;
        let request = |pair: &Pair| route::log_out(&pair.access_token);
        Ok(Stock::Once(
            pairs.iter().map(request).collect::<VecDeque<_>>(),
        ))
    }
}

pub(super) async fn measure(
    server: &mut Server,
    route: Route,
    supply: &mut Supply,
    plan: Plan,
    around: Around,
) -> anyhow::Result<Sample> {
    let mut ended;
    let stock = match route {
        Route::Me => &mut supply.me,
        Route::Introspect => &mut supply.introspect,
        Route::Refresh => &mut supply.refresh,
        Route::Login => &mut supply.login,
        Route::Logout => {
            ended = supply.logouts(server).await?;
            &mut ended
        }
    };
    load::run(server.address, route.connections(), plan.warm_up, stock).await?;
    sample(server, route, stock, plan, around).await
}

async fn sample(
    server: &mut Server,
    route: Route,
    stock: &mut Stock,
    plan: Plan,
    around: Around,
) -> anyhow::Result<Sample> {
    let watch = Watch::begin(server.process_id(), around)?;
    let outcome = load::run(server.address, route.connections(), plan.max_time, stock).await?;
    ensure!(outcome.requests() > 0, "{route} was not asked");
    let requests = f64::from(u32::try_from(outcome.requests())?);
    let millis = |percent| outcome.percentile(percent).as_secs_f64() * 1e3;
    Ok(Sample {
        per_sec: ensure_finite("requests/s", requests / outcome.elapsed.as_secs_f64())?,
        p50_millis: millis(50),
        p99_millis: millis(99),
        cpu: watch.end(requests)?,
    })
}
