//! What every request handler and the publisher hold: configuration, stores, keys, clock, wake-ups.

use std::sync::Arc;
use std::thread::available_parallelism;

use shared::KeySetError;
use sqlx::AnyPool;
use tokio::sync::Notify;

use crate::cache::RedisCache;
use crate::canary::board::Board;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::ApiError;
use crate::issuer::Issuer;
use crate::keys::{KeyRing, Keys};
use crate::passwords::Passwords;
use crate::publisher::deliveries::Deliveries;
use crate::publisher::pull_lane::PullLane;
use crate::publisher::segment_cache::SegmentCache;
use crate::store::{self, StoreError, token_keys};

/// Cheap to clone: every part is shared.
#[derive(Debug, Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub pool: AnyPool,
    /// `None`: not configured. Whoever runs the origin also runs [`crate::cache::keep_complete`].
    pub cache: Option<RedisCache>,
    pub keys: Arc<Keys>,
    pub issuer: Arc<Issuer>,
    pub passwords: Arc<Passwords>,
    pub clock: Arc<dyn Clock>,
    /// Wakes the publisher; notified after the commit of a revocation.
    pub wake: Arc<Notify>,
    /// Wakes the task that sends mail; notified after the commit of what causes one.
    pub mail_wake: Arc<Notify>,
    pub pull_lane: PullLane,
    pub deliveries: Deliveries,
    /// What the canary saw last, if there is one.
    pub canary: Board,
    pub segments: SegmentCache,
}

/// Why there is no [`App`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the published token keys cannot be read")]
    Keys(#[source] KeySetError),
    #[error("passwords cannot be hashed")]
    Passwords(#[source] ApiError),
}

impl App {
    /// Opens the database and brings its schema up to date; an unreachable one is an error here.
    /// Whoever runs the origin also runs [`crate::keys::follow`], which publishes the keys.
    pub async fn open(
        config: Config,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let pool = store::open(&config.stores.database_url).await?;
        store::migrate(&pool).await?;
        let rows = token_keys::find_all(&pool)
            .await
            .map_err(StoreError::Unreadable)?;
        let ring = KeyRing::new(&rows, &keys.token.all()).map_err(OpenError::Keys)?;
        let threads = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            pool,
            cache: RedisCache::new(&config.stores),
            issuer: Arc::new(Issuer::new(&config, ring)),
            keys: Arc::new(keys),
            passwords: Arc::new(
                Passwords::new(config.passwords.min_chars, threads)
                    .map_err(OpenError::Passwords)?,
            ),
            clock,
            wake: Arc::new(Notify::new()),
            mail_wake: Arc::new(Notify::new()),
            pull_lane: PullLane::new(config.lanes.max_waiters),
            deliveries: Deliveries::default(),
            canary: Board::default(),
            segments: SegmentCache::default(),
            config: Arc::new(config),
        })
    }
}
