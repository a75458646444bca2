//! The canary: logs a user of its own in and out on a schedule and asks the configured edges, so that
//! the time to revoke is measured all the time, through every layer that a real logout goes through.

mod account;
pub(crate) mod board;
mod edge;
pub(crate) mod failure;
mod layers;

use std::time::Duration;

use futures_util::future::try_join_all;
use shared::UnixSeconds;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use board::{Board, Observation};
pub use failure::{CanaryError, Failure};

use self::account::Account;
use self::edge::WatchedEdge;
use crate::app::App;
use crate::clock::Clock;
use crate::shutdown::Supervisor;

/// Ready to observe.
#[derive(Debug)]
pub struct Canary {
    app: App,
    account: Account,
    edges: Vec<WatchedEdge>,
}

impl Canary {
    /// `None`: no edges are configured.
    pub fn new(app: &App) -> Result<Option<Self>, CanaryError> {
        if app.config.canary.edges.is_empty() {
            return Ok(None);
        }
        let edges = app.config.canary.edges.iter();
        Ok(Some(Self {
            app: app.clone(),
            account: Account::load_or_create(&app.config.stores.data_dir)?,
            edges: edges.map(WatchedEdge::new).collect::<Result<_, _>>()?,
        }))
    }

    /// Observes until `stop`, once each interval, and leaves each outcome on the board.
    pub async fn run(self, stop: CancellationToken) {
        let interval = Duration::from_secs(self.app.config.canary.interval_secs);
        loop {
            let Some(()) = stop.run_until_cancelled(self.observe()).await else {
                return;
            };
            if stop
                .run_until_cancelled(tokio::time::sleep(interval))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    /// One observation, from a log-in to the last edge's refusal.
    pub async fn observe(&self) {
        let outcome = self.try_observe().await;
        let at = self.app.clock.now();
        match &outcome {
            Ok(took) => tracing::debug!(millis = took.as_millis(), "the canary was refused"),
            Err(failure) => {
                let (code, edge) = (failure.code(), failure.edge().unwrap_or_default());
                metrics::counter!("portcullis_canary_failures_total", "code" => code).increment(1);
                tracing::warn!(code, edge, error = %failure, "the canary failed");
            }
        }
        self.app.canary.note(Observation { at, outcome });
    }

    async fn try_observe(&self) -> Result<Duration, Failure> {
        let token = self.account.log_in(&self.app).await?;
        let bearer = &token;
        let pass = self.edges.iter().map(|edge| edge.ensure_passes(bearer));
        try_join_all(pass).await?;
        let receipt = self.account.log_out(&self.app, &token).await?;
        let recorded = Instant::now();
        let patience = patience(&*self.app.clock, receipt.effective_by);
        let refuse = self
            .edges
            .iter()
            .map(|edge| edge.wait_for_refusal(bearer, recorded, patience));
        let (took, ()) = tokio::join!(
            try_join_all(refuse),
            layers::follow(&self.app, &receipt.id, recorded, patience),
        );
        Ok(took?.into_iter().max().unwrap_or_default())
    }
}

/// Until the promise is broken.
fn patience(clock: &dyn Clock, effective_by: UnixSeconds) -> Duration {
    Duration::from_secs_f64(effective_by.secs_since(clock.now()).max(0.0))
}

/// Starts it in a task of its own, if it is switched on.
pub fn start(app: &App, supervisor: &mut Supervisor) -> Result<(), CanaryError> {
    let Some(canary) = Canary::new(app)? else {
        return Ok(());
    };
    let stop = supervisor.stop_background();
    supervisor.spawn("canary", canary.run(stop));
    Ok(())
}
