//! Keeps Redis connected and complete: reconnects, follows the epoch, fills Redis from the database
//! when its marker does not match, and notes in the database which revocations Redis has.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use redis::Pipeline;
use shared::{Scope, UnixSeconds};
use tokio::time::MissedTickBehavior;

use super::claim::{Claim, Held};
use super::layout::{COMPLETE, Key};
use super::link::Link;
use super::repair::keep_repaired;
use super::revoked::{Written, add_write};
use super::{KnownEpoch, RedisCache, lock};
use crate::app::App;
use crate::backoff::Backoff;
use crate::store::revocations::{Position, RevocationRow};
use crate::store::{cache_state, revocations};

/// Well inside `EPOCH_MAX_AGE`, so that a healthy replica always has a believable epoch.
const TICK: Duration = Duration::from_millis(80);
const BATCH: u32 = 500;
/// A Redis that is back is noticed this soon, or twice that by chance.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs for as long as the origin does; one task a replica.
pub async fn keep_complete(app: App, cache: RedisCache) -> Infallible {
    tokio::join!(keep_filled(&app, &cache), keep_repaired(&app, &cache)).0
}

async fn keep_filled(app: &App, cache: &RedisCache) -> Infallible {
    let mut door = Door::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = tick(app, cache, &mut door).await {
            tracing::debug!(%error, "the cache could not be compared with the database");
        }
    }
}

/// When Redis is tried next: at once where it was there a moment ago, then less and less often.
struct Door {
    backoff: Backoff,
    next_knock: Instant,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            backoff: Backoff::up_to(LONGEST_PAUSE),
            next_knock: Instant::now(),
        }
    }
}

impl Door {
    /// Redis was away at `now`; answers for how long it is left alone.
    fn stay_away_from(&mut self, now: Instant) -> Duration {
        let pause = self.backoff.next_pause();
        self.next_knock = now + pause;
        pause
    }
}

async fn tick(app: &App, cache: &RedisCache, door: &mut Door) -> sqlx::Result<()> {
    let epoch = cache.refresh_epoch(app).await?;
    let Some(mut link) = cache.link_or_connect(door).await else {
        return Ok(());
    };
    cache.store_confirmations(app).await?;
    let mut read = Pipeline::new();
    read.cmd("GET").arg(COMPLETE);
    read.cmd("INFO").arg("memory");
    let answer = cache.query_link::<(Option<String>, String)>(&mut link, &read);
    let Some((there, memory)) = answer.await else {
        return Ok(());
    };
    // It may be set at any time: then this Redis is met anew.
    if !link.agrees_with(&memory) {
        cache.let_go_of(&link);
        return Ok(());
    }
    match link.marker(epoch) {
        Some(marker) if there.as_ref() != Some(&marker) => cache.rebuild(app, link, epoch).await,
        _ => Ok(()),
    }
}

impl RedisCache {
    async fn refresh_epoch(&self, app: &App) -> sqlx::Result<i64> {
        let read_at = Instant::now();
        let number = cache_state::find_epoch(&app.pool).await?;
        *lock(&self.0.epoch) = Some(KnownEpoch { number, read_at });
        Ok(number)
    }

    async fn link_or_connect(&self, door: &mut Door) -> Option<Link> {
        if let Some(link) = self.link() {
            return Some(link);
        }
        if Instant::now() < door.next_knock {
            return None;
        }
        match Link::open(&self.0.client, self.0.may_take).await {
            Ok(link) => {
                *door = Door::default();
                tracing::info!("connected to Redis");
                *lock(&self.0.link) = Some(link.clone());
                Some(link)
            }
            Err(error) => {
                let pause = door.stay_away_from(Instant::now());
                tracing::debug!(%error, ?pause, "Redis cannot be reached");
                None
            }
        }
    }

    /// One replica at a time fills Redis; one that fails leaves it to the next at once.
    async fn rebuild(&self, app: &App, mut link: Link, epoch: i64) -> sqlx::Result<()> {
        let Some(claim) = Claim::take(self, &mut link).await else {
            return Ok(());
        };
        let rebuilt = self.rebuild_claimed(app, &mut link, &claim, epoch).await;
        claim.release(self, &mut link).await;
        rebuilt
    }

    /// Fills Redis from the database. A revocation that is committed meanwhile writes its own keys,
    /// or raises the epoch, which is why the epoch is read again at the end. A flush meanwhile takes
    /// the claim, and with it the right to call Redis complete.
    async fn rebuild_claimed(
        &self,
        app: &App,
        link: &mut Link,
        claim: &Claim,
        epoch: i64,
    ) -> sqlx::Result<()> {
        let Some(marker) = link.marker(epoch) else {
            return Ok(());
        };
        let now = app.clock.now();
        let mut filled = 0;
        let mut after = Position::default();
        loop {
            let rows = revocations::find_live_after(&app.pool, now, &after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = Position::of(last);
            filled += rows.len();
            if self
                .fill(link, app.issuer.name(), &rows, now)
                .await
                .is_none()
                || claim.renew(self, link).await == Held::Lost
            {
                return Ok(());
            }
        }
        if cache_state::find_epoch(&app.pool).await? != epoch {
            return Ok(());
        }
        if claim.complete(self, link, &marker).await == Held::Yes {
            metrics::counter!("portcullis_redis_rebuilds_total").increment(1);
            tracing::info!(revocations = filled, "Redis was filled from the database");
        }
        Ok(())
    }

    pub(super) async fn fill(
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
        lock(&self.0.confirmed).extend(unconfirmed.map(|row| row.id.clone()));
        Some(())
    }

    async fn store_confirmations(&self, app: &App) -> sqlx::Result<()> {
        let mut confirmed = std::mem::take(&mut *lock(&self.0.confirmed));
        if confirmed.is_empty() {
            return Ok(());
        }
        let stored = revocations::mark_cached(&app.pool, &confirmed, app.clock.now()).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreConfig;
    use crate::redis_server::RedisServer;

    #[tokio::test]
    async fn a_redis_that_is_away_is_tried_less_and_less_often() {
        let nobody = RedisServer::new(&"redis://127.0.0.1:1".into(), None).unwrap();
        let cache = RedisCache::new(&StoreConfig {
            data_dir: "unused".into(),
            database_url: "unused".into(),
            redis: Some(nobody),
            redis_may_take: Duration::from_secs(1),
            audit_days: 1,
        })
        .unwrap();
        let mut door = Door::default();
        let knocked = Instant::now();
        door.next_knock = knocked;
        assert!(cache.link_or_connect(&mut door).await.is_none());
        assert!(door.next_knock > knocked, "it may knock again at once");
        // Too early: nothing is tried, so nothing grows.
        let next_knock = Instant::now() + Duration::from_hours(1);
        door.next_knock = next_knock;
        assert!(cache.link_or_connect(&mut door).await.is_none());
        assert_eq!(door.next_knock, next_knock);

        let pauses = [(); 6].map(|()| door.stay_away_from(knocked));
        assert_eq!(door.next_knock, knocked + pauses[5]);
        assert!(pauses[5] > pauses[0], "{pauses:?}");
        assert!(
            pauses.iter().all(|pause| *pause <= 2 * LONGEST_PAUSE),
            "{pauses:?}"
        );
    }
}
