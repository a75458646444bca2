//! Keeps this replica's view of the token keys: it looks at the table each second, notes which key
//! it signs with, and rotates on a schedule if there is one.

use std::convert::Infallible;
use std::time::Duration;

use shared::UnixSeconds;

use super::rotation::{self, Cause, RotationError};
use super::turn::NOTE_INTERVAL_SECS;
use super::{KeyRing, KeySource};
use crate::app::App;
use crate::store::token_keys::{self, TokenKeyRow};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const SECS_A_DAY: u64 = 86_400;
const SCHEDULE: Cause<'static> = Cause {
    actor: "schedule",
    reason: None,
};

/// Registers this replica's keys and takes the view over: before it answers requests.
pub async fn start(app: &App) -> Result<(), RotationError> {
    rotation::register_held(app).await?;
    let mut follower = Follower::default();
    follower.look(app).await?;
    if app.issuer.ring().signer(app.clock.now()).is_none() {
        tracing::warn!("no key may sign yet: it waits until every edge has it");
    }
    Ok(())
}

/// Looks until it is dropped. The database's outage is the publisher's to report.
pub async fn run(app: App) -> Infallible {
    let mut follower = Follower::default();
    loop {
        if let Err(error) = follower.step(&app).await {
            metrics::counter!("portcullis_key_errors_total", "code" => error.code()).increment(1);
            tracing::debug!(%error, "cannot look at the token keys");
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct Follower {
    rows: Vec<TokenKeyRow>,
    noted: Option<(String, UnixSeconds)>,
}

impl Follower {
    pub async fn step(&mut self, app: &App) -> Result<(), RotationError> {
        self.look(app).await?;
        if is_due(app) {
            let kid = rotation::rotate(app, SCHEDULE).await?;
            tracing::info!(
                kid,
                "a new token key is published; it signs once every edge has it"
            );
            self.look(app).await?;
        }
        Ok(())
    }

    async fn look(&mut self, app: &App) -> Result<(), RotationError> {
        let rows = token_keys::find_all(&app.pool).await?;
        if rows != self.rows {
            let keys = &app.keys.token;
            if rows
                .iter()
                .any(|row| row.is_live() && keys.find(&row.kid).is_none())
            {
                keys.look_again()?;
            }
            app.issuer.take_ring(KeyRing::new(&rows, &keys.all())?);
            self.rows = rows;
        }
        self.note_use(app).await
    }

    /// Late rather than never: a key is kept for longer than the time between two notes.
    async fn note_use(&mut self, app: &App) -> Result<(), RotationError> {
        let now = app.clock.now();
        let ring = app.issuer.ring();
        let Some(signer) = ring.signer(now) else {
            return Ok(());
        };
        let is_noted = self.noted.as_ref().is_some_and(|(kid, at)| {
            *kid == signer.kid && now < at.plus_secs(NOTE_INTERVAL_SECS) && now >= *at
        });
        if !is_noted {
            token_keys::note_use(&app.pool, &signer.kid, now).await?;
            self.noted = Some((signer.kid.clone(), now));
        }
        Ok(())
    }
}

/// The newest key of this replica signs and is as old as the schedule says.
fn is_due(app: &App) -> bool {
    let (Some(days), KeySource::Folder(_)) =
        (app.config.keys.rotation_days, app.keys.token.source())
    else {
        return false;
    };
    let now = app.clock.now();
    app.issuer.ring().newest_held().is_some_and(|newest| {
        newest.may_sign(now) && newest.created_at.plus_secs(days * SECS_A_DAY) <= now
    })
}
