//! `portcullis serve`: starts the origin part by part, keeps it up, and ends it in order.

use std::process;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::mail::{self, Transport};
use crate::publisher::{self, Publisher, replica_name};
use crate::shutdown::{LAST_LIST_MAY_TAKE, REQUESTS_MAY_TAKE, Signals, Supervisor};
use crate::{
    cache, canary, keys, measures, open_files, retention, router, server, store, telemetry,
};

/// Connections that may be open besides those of hanging pulls.
const CONNECTIONS_BESIDE_WAITERS: usize = 4096;

pub(super) async fn serve(config: Config) -> anyhow::Result<()> {
    let log = telemetry::start(&config.log.filter, config.log.format)?;
    // Before anything counts.
    measures::recorder();
    let mut signals = Signals::catch()?;
    // Before the stores are touched: a port that is taken should change nothing.
    let listener = server::bind(config.http.listen).await?;
    let app = super::open(config).await?;
    if let Some(redis) = &app.config.stores.redis {
        publisher::try_redis(redis).await?;
    }
    keys::follow::start(&app).await?;
    let transport = Transport::open(&app.config.mail.way)?;
    let replica = replica_name::load_or_create(&app.config.stores.data_dir)?;
    let pool = store::open(&app.config.stores.database_url).await?;
    let publisher = Arc::new(Publisher::new(&app, pool, replica)?);
    // The first list is there before anyone can ask for it.
    publisher::start(&publisher)
        .await
        .context("the first list cannot be published")?;
    let mut running = Running::start(app, publisher, listener)?;
    running.spawn_account_tasks(transport);
    let end = running.until_end(&mut signals).await;
    match running.end(end, &mut signals).await? {
        Ended::InOrder => Ok(()),
        Ended::AtOnce => {
            // It holds the last lines, and why it ended is one of them.
            drop(log);
            process::exit(1);
        }
    }
}

/// Everything that runs while the origin serves.
struct Running {
    app: App,
    publisher: Arc<Publisher>,
    supervisor: Supervisor,
    http: JoinHandle<()>,
    stop_http: CancellationToken,
}

/// Why the origin ends.
enum End {
    Asked,
    TaskDied(&'static str),
}

/// How it ended.
enum Ended {
    InOrder,
    /// What was under way still is.
    AtOnce,
}

impl Running {
    fn start(app: App, publisher: Arc<Publisher>, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let mut supervisor = Supervisor::default();
        publisher::spawn_tasks(&publisher, &app.config, &mut supervisor);
        spawn_cache_task(&app, &mut supervisor);
        spawn_keys_task(&app, &mut supervisor);
        spawn_metrics_task(&mut supervisor);
        canary::start(&app, &mut supervisor)?;
        let stop_http = CancellationToken::new();
        let most = app.config.lanes.max_waiters + CONNECTIONS_BESIDE_WAITERS;
        open_files::raise_limit(most);
        let http = server::serve(
            listener,
            router::router(app.clone()),
            most,
            stop_http.clone(),
        );
        let http = tokio::spawn(http);
        tracing::info!("listening on http://{address}");
        Ok(Self {
            app,
            publisher,
            supervisor,
            http,
            stop_http,
        })
    }

    fn spawn_account_tasks(&mut self, transport: Transport) {
        let stop = self.supervisor.stop_background();
        let mail = mail::run(self.app.clone(), transport, stop.clone());
        self.supervisor.spawn("mail", mail);
        self.supervisor
            .spawn("retention", retention::run(self.app.clone(), stop));
    }

    async fn until_end(&mut self, signals: &mut Signals) -> End {
        tokio::select! {
            signal = signals.next() => {
                tracing::info!(signal, "ending: no new requests from now on");
                End::Asked
            }
            name = self.supervisor.first_dead() => End::TaskDied(name),
            _ = &mut self.http => End::TaskDied("http server"),
        }
    }

    /// Requests first, then the tasks that serve them, then what they left to publish.
    async fn end(self, end: End, signals: &mut Signals) -> anyhow::Result<Ended> {
        let in_order = async {
            self.app.pull_lane.close();
            self.stop_http.cancel();
            finish_requests(self.http).await;
            self.supervisor.stop().await;
            publish_rest(&self.publisher).await
        };
        tokio::select! {
            finished = in_order => finished?,
            signal = signals.next() => {
                tracing::warn!(signal, "ending at once");
                return Ok(Ended::AtOnce);
            }
        }
        match end {
            End::Asked => Ok(Ended::InOrder),
            End::TaskDied(name) => bail!("the background task {name:?} died; see the log"),
        }
    }
}

/// What is not published here, another replica or the next start finds in the database.
async fn publish_rest(publisher: &Publisher) -> anyhow::Result<()> {
    tokio::time::timeout(LAST_LIST_MAY_TAKE, publisher::finish(publisher))
        .await
        .context("the database does not answer")
        .and_then(|finished| Ok(finished?))
        .context("the last list is not published")
}

async fn finish_requests(http: JoinHandle<()>) {
    if http.is_finished() {
        return;
    }
    if tokio::time::timeout(REQUESTS_MAY_TAKE, http).await.is_err() {
        tracing::warn!("requests that took too long were cut off");
    }
}

fn spawn_cache_task(app: &App, supervisor: &mut Supervisor) {
    if let Some(redis) = app.cache.clone() {
        let stop = supervisor.stop_background();
        let app = app.clone();
        supervisor.spawn("cache", async move {
            stop.run_until_cancelled(cache::keep_complete(app, redis))
                .await;
        });
    }
}

fn spawn_keys_task(app: &App, supervisor: &mut Supervisor) {
    let stop = supervisor.stop_background();
    let app = app.clone();
    supervisor.spawn("keys", async move {
        stop.run_until_cancelled(keys::follow::run(app)).await;
    });
}

fn spawn_metrics_task(supervisor: &mut Supervisor) {
    let stop = supervisor.stop_background();
    supervisor.spawn("metrics", async move {
        stop.run_until_cancelled(measures::keep_compact()).await;
    });
}
