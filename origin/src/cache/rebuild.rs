//! Keeps Redis connected and complete: reconnects, follows the epoch, fills Redis from the database
//! when its marker does not match, and notes in the database which revocations Redis has.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use redis::Pipeline;
use shared::{Scope, UnixSeconds};
use tokio::time::MissedTickBehavior;

use super::layout::{COMPLETE, Key, REBUILDING};
use super::link::Link;
use super::revoked::{Confirmation, Written, add_write};
use super::{KnownEpoch, RedisCache, lock};
use crate::app::App;
use crate::random;
use crate::store::revocations::RevocationRow;
use crate::store::{cache_state, revocations};

/// Well inside `EPOCH_MAX_AGE`, so that a healthy replica always has a believable epoch.
const TICK: Duration = Duration::from_millis(80);
/// A rebuild that takes longer has died; another may begin.
const REBUILD_SECS: u64 = 60;
const REPAIR_INTERVAL: Duration = Duration::from_secs(2);
/// A revocation whose keys are not confirmed by then is written again.
const UNCONFIRMED_SECS: u64 = 5;
const BATCH: usize = 500;

/// Runs for as long as the origin does; one task a replica.
pub async fn keep_complete(app: App, cache: RedisCache) -> Infallible {
    let mut ticks = tokio::time::interval(TICK);
    let mut repairs = tokio::time::interval(REPAIR_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    repairs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = ticks.tick() => tick(&app, &cache).await,
            _ = repairs.tick() => cache.write_unconfirmed(&app).await,
        };
        if let Err(error) = done {
            tracing::debug!(%error, "the cache could not be compared with the database");
        }
    }
}

async fn tick(app: &App, cache: &RedisCache) -> sqlx::Result<()> {
    let epoch = cache.refresh_epoch(app).await?;
    let Some(mut link) = cache.link_or_connect().await else {
        return Ok(());
    };
    cache.store_confirmations(app).await?;
    let Some(marker) = link.marker(epoch) else {
        return Ok(());
    };
    let mut read = Pipeline::new();
    read.cmd("GET").arg(COMPLETE);
    match cache
        .query_link::<(Option<String>,)>(&mut link, &read)
        .await
    {
        Some((Some(there),)) if there == marker => Ok(()),
        Some(_) => cache.rebuild(app, link, epoch).await,
        None => Ok(()),
    }
}

impl RedisCache {
    async fn refresh_epoch(&self, app: &App) -> sqlx::Result<i64> {
        let read_at = Instant::now();
        let number = cache_state::find_epoch(&app.pool).await?;
        *lock(&self.0.epoch) = Some(KnownEpoch { number, read_at });
        Ok(number)
    }

    async fn link_or_connect(&self) -> Option<Link> {
        if let Some(link) = self.link() {
            return Some(link);
        }
        match Link::open(&self.0.client).await {
            Ok(link) => {
                tracing::info!("connected to Redis");
                *lock(&self.0.link) = Some(link.clone());
                Some(link)
            }
            Err(error) => {
                tracing::debug!(%error, "Redis cannot be reached");
                None
            }
        }
    }

    /// One replica at a time fills Redis; one that fails leaves it to the next at once.
    async fn rebuild(&self, app: &App, mut link: Link, epoch: i64) -> sqlx::Result<()> {
        let Some(holder) = self.claim_rebuild(&mut link).await else {
            return Ok(());
        };
        let rebuilt = self.rebuild_claimed(app, &mut link, epoch).await;
        self.release_rebuild(&mut link, &holder).await;
        rebuilt
    }

    /// Fills Redis from the database. A revocation that is committed meanwhile writes its own keys,
    /// or raises the epoch, which is why the epoch is read again at the end.
    async fn rebuild_claimed(&self, app: &App, link: &mut Link, epoch: i64) -> sqlx::Result<()> {
        let now = app.clock.now();
        let rows = revocations::find_live(&app.pool, now).await?;
        let issuer = app.issuer.name();
        for batch in rows.chunks(BATCH) {
            if self.fill(link, issuer, batch, now).await.is_none() {
                return Ok(());
            }
        }
        let Some(marker) = link.marker(epoch) else {
            return Ok(());
        };
        if cache_state::find_epoch(&app.pool).await? != epoch {
            return Ok(());
        }
        let mut finish = Pipeline::new();
        finish.cmd("SET").arg(COMPLETE).arg(marker).ignore();
        if self.query_link::<()>(link, &finish).await.is_some() {
            metrics::counter!("portcullis_redis_rebuilds_total").increment(1);
            tracing::info!(
                revocations = rows.len(),
                "Redis was filled from the database"
            );
        }
        Ok(())
    }

    /// Answers with the name that the claim is held by.
    async fn claim_rebuild(&self, link: &mut Link) -> Option<String> {
        let holder = random::new_id().ok()?;
        let mut claim = Pipeline::new();
        claim
            .cmd("SET")
            .arg(REBUILDING)
            .arg(&holder)
            .arg("NX")
            .arg("EX")
            .arg(REBUILD_SECS);
        match self.query_link::<(Option<String>,)>(link, &claim).await {
            Some((Some(_),)) => Some(holder),
            _ => None,
        }
    }

    /// Not the claim of another, who took it after ours had run out.
    async fn release_rebuild(&self, link: &mut Link, holder: &str) {
        const SCRIPT: &str = "
            if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
            return 1";
        let mut release = Pipeline::new();
        release
            .cmd("EVAL")
            .arg(SCRIPT)
            .arg(1)
            .arg(REBUILDING)
            .arg(holder)
            .ignore();
        // Where Redis is away the claim runs out by itself.
        self.query_link::<()>(link, &release).await;
    }

    async fn fill(
        &self,
        link: &mut Link,
        issuer: &str,
        rows: &[RevocationRow],
        now: UnixSeconds,
    ) -> Option<()> {
        let mut pipeline = Pipeline::new();
        for row in rows.iter().filter(|row| row.issuer == issuer) {
            add_write(&mut pipeline, &written(row), now);
        }
        if !pipeline.is_empty() {
            self.query_link::<()>(link, &pipeline).await?;
        }
        let unconfirmed = rows.iter().filter(|row| row.cached_at.is_none());
        lock(&self.0.confirmed).extend(unconfirmed.map(confirmation));
        Some(())
    }

    /// Repairs what a crash between commit and write left behind.
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

    async fn store_confirmations(&self, app: &App) -> sqlx::Result<()> {
        let mut confirmed = std::mem::take(&mut *lock(&self.0.confirmed));
        if confirmed.is_empty() {
            return Ok(());
        }
        confirmed.sort();
        let stored = revocations::mark_cached(
            &app.pool,
            confirmed.iter().map(|done| done.id.as_str()),
            app.clock.now(),
        )
        .await;
        if stored.is_err() {
            lock(&self.0.confirmed).append(&mut confirmed);
        }
        stored
    }
}

fn written(row: &RevocationRow) -> Written {
    Written {
        key: Key::new(row.scope, row.name.clone()),
        before_secs: match row.scope {
            Scope::Token | Scope::Session => None,
            Scope::User | Scope::Issuer => row.before_secs,
        },
        recorded_at: row.recorded_at,
        retain_until: row.retain_until,
    }
}

fn confirmation(row: &RevocationRow) -> Confirmation {
    Confirmation {
        recorded_at: row.recorded_at,
        id: row.id.clone(),
    }
}
