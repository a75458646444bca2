//! Redis: quick answers to "is this revoked?", believed only while it is known to hold every
//! revocation. What it cannot vouch for, the database answers.
//!
//! Three things make a missing key mean "not revoked":
//! - the marker `portcullis:complete` names the database's epoch and the Redis process that was
//!   filled, so a flushed, restarted or restored Redis is not believed, and neither is one that
//!   missed a revocation: that revocation raises the epoch in its own transaction;
//! - a name about to be revoked is put in doubt before the commit, and taken out of doubt in the
//!   same step that writes its key: a crash in between leaves the doubt, and the database is asked;
//! - a replica believes its copy of the epoch for at most [`EPOCH_MAX_AGE`], and a revocation that
//!   raised the epoch is not acknowledged before every copy is older than that.

mod claim;
mod layout;
mod link;
mod rebuild;
mod repair;
mod revoked;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::{FromRedisValue, Pipeline};

pub use layout::{Key, WAKE_CHANNEL};
pub use rebuild::keep_complete;
pub use revoked::{CacheAnswer, Told, Written};

use crate::config::StoreConfig;
use crate::redis_server::RedisServer;
use link::Link;

/// See the module's third rule.
pub const EPOCH_MAX_AGE: Duration = Duration::from_millis(250);

/// Cheap to clone. A command that fails, or is late, ends the connection: the next one is made by
/// [`keep_complete`], and until then every answer is left to the database.
#[derive(Debug, Clone)]
pub struct RedisCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: redis::Client,
    /// Past that the database is the quicker answer.
    may_take: Duration,
    link: Mutex<Option<Link>>,
    epoch: Mutex<Option<KnownEpoch>>,
    /// Revocations whose keys are written, but whose rows do not say so yet.
    confirmed: Mutex<Vec<String>>,
}

/// The database's epoch and when its reading began.
#[derive(Debug, Clone, Copy)]
struct KnownEpoch {
    number: i64,
    read_at: Instant,
}

/// Whether a missing key could mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Believed,
    MayEvict,
}

/// Connects once, to see what kind of Redis is there.
pub async fn examine(server: &RedisServer, may_take: Duration) -> Result<Trust, redis::RedisError> {
    let link = Link::open(&server.client(), may_take).await?;
    Ok(match link.run_id {
        Some(_) => Trust::Believed,
        None => Trust::MayEvict,
    })
}

impl RedisCache {
    /// `None`: not configured. Connects to nobody yet: that is [`keep_complete`]'s work.
    #[must_use]
    pub fn new(config: &StoreConfig) -> Option<Self> {
        let server = config.redis.as_ref()?;
        Some(Self(Arc::new(Inner {
            client: server.client(),
            may_take: config.redis_may_take,
            link: Mutex::default(),
            epoch: Mutex::default(),
            confirmed: Mutex::default(),
        })))
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link().is_some()
    }

    /// `None`: there is no connection, or there is none any more.
    pub async fn query<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Option<T> {
        let mut link = self.link()?;
        self.query_link(&mut link, pipeline).await
    }

    async fn query_link<T: FromRedisValue>(&self, link: &mut Link, pipe: &Pipeline) -> Option<T> {
        match pipe.query_async(&mut link.connection).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.lose(link, &error);
                None
            }
        }
    }

    fn link(&self) -> Option<Link> {
        lock(&self.0.link).clone()
    }

    /// Logged once an outage: only the first to fail finds the link still there.
    fn lose(&self, failed: &Link, error: &redis::RedisError) {
        metrics::counter!("portcullis_redis_errors_total").increment(1);
        if self.let_go_of(failed) {
            tracing::warn!(%error, "Redis failed; the database answers in its place");
        }
    }

    /// Whether it was still the link.
    fn let_go_of(&self, link: &Link) -> bool {
        let mut current = lock(&self.0.link);
        let is_current = current
            .as_ref()
            .is_some_and(|current| current.number == link.number);
        if is_current {
            *current = None;
        }
        is_current
    }

    /// The epoch, if it is young enough to be believed.
    fn epoch(&self) -> Option<i64> {
        lock(&self.0.epoch)
            .filter(|known| known.read_at.elapsed() < EPOCH_MAX_AGE)
            .map(|known| known.number)
    }
}

/// A panic elsewhere does not make these plain values wrong.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
