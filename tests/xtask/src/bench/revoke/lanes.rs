//! One stack for each choice of lanes, and many logouts on it: each timed until the edge itself
//! refuses the token.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use stack::{Client, Plan, System, progress};

use super::background::Background;
use super::fresh_folder;
use super::percentiles::Percentiles;
use super::tally::Tally;

const PATIENCE: Duration = Duration::from_secs(20);
/// Nobody listens there: to the origin KV is down.
const NO_KV: &str = "http://127.0.0.1:9/";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes {
    Both,
    PullAlone,
    KvAlone,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) lanes: Lanes,
    pub(super) logouts: Percentiles,
    /// How the requests beside were answered.
    pub(super) beside: Tally,
}

impl Lanes {
    pub(super) const ALL: [Self; 3] = [Self::Both, Self::PullAlone, Self::KvAlone];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::PullAlone => "pull alone (KV down)",
            Self::KvAlone => "KV alone (pull off)",
        }
    }

    fn plan(self, origin: &Path, worker: &Path) -> anyhow::Result<Plan> {
        let folder = fresh_folder(match self {
            Self::Both => "both",
            Self::PullAlone => "pull-alone",
            Self::KvAlone => "kv-alone",
        })?;
        let mut plan = Plan::new(folder, worker.to_owned())?;
        plan.origin_binary = Some(origin.to_owned());
        let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        plan.origin_environment
            .push(named("PORTCULLIS_LOG", "warn"));
        match self {
            Self::Both => {}
            Self::PullAlone => plan
                .origin_environment
                .push(named("PORTCULLIS_KV_API_URL", NO_KV)),
            Self::KvAlone => {
                plan.edge_vars.insert("PULL_LANE".to_owned(), "off".into());
            }
        }
        Ok(plan)
    }
}

pub(super) async fn measure(
    lanes: Lanes,
    logouts: u32,
    origin: &Path,
    worker: &Path,
) -> anyhow::Result<Times> {
    let logouts = if lanes == Lanes::KvAlone {
        logouts / 3
    } else {
        logouts
    };
    let started = format!("starting a stack with lanes: {}", lanes.name());
    let system = progress::during(&started, System::start(lanes.plan(origin, worker)?)).await?;
    let people = People::register(&system).await?;
    let background = Background::start(&people.edge, &people.origin, &people.bystander);
    let times = background.beside(people.log_out_often(logouts)).await;
    let times = Percentiles::of(times.with_context(|| lanes.name())?);
    Ok(Times {
        lanes,
        logouts: times,
        beside: background.tally(),
    })
}

struct People {
    edge: Client,
    origin: Client,
    email: String,
    password: String,
    /// A token that nobody revokes.
    bystander: String,
}

impl People {
    async fn register(system: &System) -> anyhow::Result<Self> {
        let origin = Client::new(system.origin.url())?;
        let email = format!("{}@example.com", stack::generate_secret()?);
        let password = stack::generate_secret()?;
        origin.register(&email, &password).await?.expect(201)?;
        let bystander = origin.log_in(&email, &password).await?.access;
        let people = Self {
            edge: Client::new(system.edge.url())?,
            origin,
            email,
            password,
            bystander,
        };
        // A fresh edge has no list yet and answers 503: by KV alone for about a second.
        people
            .wait_for(&people.bystander, 404)
            .await
            .context("the edge has its first list")?;
        Ok(people)
    }

    async fn log_out_often(&self, logouts: u32) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::new();
        for _ in 0..logouts {
            let token = self
                .origin
                .log_in(&self.email, &self.password)
                .await?
                .access;
            self.wait_for(&token, 404)
                .await
                .context("the edge lets it pass")?;
            self.origin.log_out(&token).await?.expect(200)?;
            let logged_out = Instant::now();
            self.wait_for(&token, 401)
                .await
                .context("the edge refuses it")?;
            times.push(logged_out.elapsed());
        }
        let still_good = self.edge.me(&self.bystander).await?;
        ensure!(
            still_good.status == 200,
            "a bystander got {}",
            still_good.text
        );
        Ok(times)
    }

    /// On a path that only the edge guards: the origin behind it answers 404 to whoever gets there.
    async fn wait_for(&self, token: &str, status: u16) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.edge.unguarded(token).await?;
            if answer.status == status {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("still {}: {}", answer.status, answer.text);
            }
        }
    }
}
