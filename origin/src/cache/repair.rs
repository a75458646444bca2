//! Repairs of Redis: what a crash between commit and write left behind is written; and the keys are
//! compared with the database, a stretch at a time. A key that is gone although Redis is marked as
//! complete (deleted by hand, evicted, lost by a replica's fail-over) ends the trust at once.

use std::convert::Infallible;
use std::time::Duration;

use redis::Pipeline;
use tokio::time::MissedTickBehavior;

use super::RedisCache;
use super::layout::{COMPLETE, Key};
use super::link::Link;
use crate::app::App;
use crate::store::revocations::{self, Position, RevocationRow};

const WRITE_INTERVAL: Duration = Duration::from_secs(2);
/// A revocation whose keys are not confirmed by then is written again.
const UNCONFIRMED_SECS: u64 = 5;
/// With [`BATCH`]: up to 120,000 revocations are all looked at within a minute, and more of them
/// cost no more.
const COMPARE_INTERVAL: Duration = Duration::from_secs(1);
const BATCH: u32 = 2_000;
/// Redis counts down by its own clock, so a key may go this much before its row.
const CLOCK_SECS: u64 = 60;

/// A loop of its own: the one that keeps the epoch young must not wait for it.
pub(super) async fn keep_repaired(app: &App, cache: &RedisCache) -> Infallible {
    let mut writes = tokio::time::interval(WRITE_INTERVAL);
    let mut comparisons = tokio::time::interval(COMPARE_INTERVAL);
    writes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut comparison = Comparison::default();
    loop {
        let done = tokio::select! {
            _ = writes.tick() => cache.write_unconfirmed(app).await,
            _ = comparisons.tick() => comparison.step(app, cache).await,
        };
        if let Err(error) = done {
            tracing::debug!(%error, "the cache could not be repaired from the database");
        }
    }
}

/// The walk, which goes on where it stopped.
#[derive(Debug, Default)]
struct Comparison {
    after: Position,
}

impl Comparison {
    async fn step(&mut self, app: &App, cache: &RedisCache) -> sqlx::Result<()> {
        let Some(mut link) = cache.link() else {
            return Ok(());
        };
        let needed_until = app.clock.now().plus_secs(CLOCK_SECS);
        let rows =
            revocations::find_live_after(&app.pool, needed_until, &self.after, BATCH).await?;
        self.after = rows.last().map(Position::of).unwrap_or_default();
        match cache.count_missing(&mut link, &confirmed(app, &rows)).await {
            None | Some(0) => {}
            Some(missing) => cache.distrust(&mut link, missing).await,
        }
        Ok(())
    }
}

/// What is not confirmed may still be on its way; it is in doubt, and written by others.
fn confirmed(app: &App, rows: &[RevocationRow]) -> Vec<Key> {
    rows.iter()
        .filter(|row| row.cached_at.is_some() && row.issuer == app.issuer.name())
        .map(|row| Key::new(row.scope, row.name.clone()))
        .collect()
}

impl RedisCache {
    async fn write_unconfirmed(&self, app: &App) -> sqlx::Result<()> {
        let Some(mut link) = self.link() else {
            return Ok(());
        };
        let now = app.clock.now();
        let recorded_before = now.minus_secs(UNCONFIRMED_SECS);
        let rows = revocations::find_uncached(&app.pool, recorded_before, now).await?;
        if !rows.is_empty() {
            self.fill(&mut link, app.issuer.name(), &rows, now).await;
        }
        Ok(())
    }

    /// How many of the keys a Redis lacks that is marked as complete; `None` where it cannot be told.
    async fn count_missing(&self, link: &mut Link, keys: &[Key]) -> Option<usize> {
        let marker = self.epoch().and_then(|epoch| link.marker(epoch))?;
        let mut ask = Pipeline::new();
        ask.atomic();
        ask.cmd("GET").arg(COMPLETE);
        for key in keys {
            ask.cmd("EXISTS").arg(key.revoked());
        }
        let (there, found): (Option<String>, Vec<u64>) = split(self.query_link(link, &ask).await?)?;
        (there? == marker).then(|| found.iter().filter(|&&exists| exists == 0).count())
    }

    /// Without its marker Redis is filled anew, and until then the database answers.
    async fn distrust(&self, link: &mut Link, missing: usize) {
        metrics::counter!("portcullis_redis_missing_keys_total").increment(missing as u64);
        tracing::warn!(
            missing,
            "Redis lacks revocations that it was given; filling it from the database"
        );
        let mut forget = Pipeline::new();
        forget.cmd("DEL").arg(COMPLETE).ignore();
        self.query_link::<()>(link, &forget).await;
    }
}

/// The marker, and one answer a key.
fn split(answers: Vec<redis::Value>) -> Option<(Option<String>, Vec<u64>)> {
    let mut answers = answers.into_iter();
    let marker = redis::from_redis_value(answers.next()?).ok()?;
    let found = answers
        .map(redis::from_redis_value)
        .collect::<Result<_, _>>()
        .ok()?;
    Some((marker, found))
}
