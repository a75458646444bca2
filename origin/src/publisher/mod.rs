//! From the outbox to the edges. `publish_once` makes a list and stores it; the pull lane and
//! `deliver` carry the same signed bytes to the edges; `compact` and `reconcile` keep both in
//! order; `follow` and `replicas` are for origins that run side by side. Each task has a
//! `..._once` that tests call by hand, and a loop around it in `run` or beside it.

pub mod compact;
pub mod deliver;
pub mod deliveries;
pub mod follow;
pub mod housekeeping;
pub mod kv_client;
pub mod lease;
mod lifecycle;
pub mod merge_plan;
pub mod next_list;
mod outage;
pub mod publish_once;
pub mod published_list;
pub mod pull_lane;
pub mod reconcile;
pub mod replica_name;
mod replicas;
mod run;
pub mod segment_cache;
pub mod sightings;
pub mod verify;

use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyPool;
use tokio::sync::Notify;

use self::deliveries::Deliveries;
use self::kv_client::{KvClient, KvError};
use self::lease::Lease;
use self::next_list::ListSettings;
use self::pull_lane::PullLane;
use self::replicas::Announcer;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Keys;

pub use lifecycle::{finish, spawn_tasks, start};
pub use replicas::{RedisUnusable, ReplicaError, try_redis};

/// What every task of the publisher holds.
#[derive(Debug)]
pub struct Publisher {
    pub pool: AnyPool,
    pub clock: Arc<dyn Clock>,
    pub keys: Arc<Keys>,
    pub settings: ListSettings,
    pub heartbeat: Duration,
    pub pull_lane: PullLane,
    pub deliveries: Deliveries,
    pub lease: Lease,
    pub kv: Option<KvClient>,
    /// Something was revoked.
    wake: Arc<Notify>,
    /// There may be segments to merge.
    sealed: Notify,
    /// KV lacks something that it was given before.
    undelivered: Notify,
    /// Something was revoked on another replica, or on this one: Redis tells everyone.
    revoked_elsewhere: Notify,
    /// Another replica published.
    published_elsewhere: Notify,
    announcer: Announcer,
}

impl Publisher {
    /// `pool` should be its own, so that it never waits behind requests for a connection. `replica`
    /// names this origin among those on the same database, and stays over a restart.
    pub fn new(app: &App, pool: AnyPool, replica: String) -> Result<Self, KvError> {
        let config = &app.config;
        Ok(Self {
            pool,
            clock: Arc::clone(&app.clock),
            settings: list_settings(config),
            keys: Arc::clone(&app.keys),
            heartbeat: Duration::from_secs(config.list.heartbeat_secs),
            pull_lane: app.pull_lane.clone(),
            deliveries: app.deliveries.clone(),
            lease: Lease::new(replica),
            kv: config.lanes.kv.as_ref().map(KvClient::new).transpose()?,
            wake: Arc::clone(&app.wake),
            sealed: Notify::new(),
            undelivered: Notify::new(),
            revoked_elsewhere: Notify::new(),
            published_elsewhere: Notify::new(),
            announcer: Announcer::default(),
        })
    }
}

fn list_settings(config: &Config) -> ListSettings {
    ListSettings {
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
        token_lifetime_secs: config.tokens.access_token_secs,
        lifetime_secs: config.list.lifetime_secs,
        grace_secs: config.list.grace_secs,
    }
}
