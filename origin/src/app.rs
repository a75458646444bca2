//! What every request handler and the publisher hold: configuration, stores, clock, wake-ups.

use std::sync::Arc;

use sqlx::AnyPool;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Config;
use crate::publisher::pull_lane::PullLane;

/// Cheap to clone: every part is shared.
#[derive(Debug, Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub pool: AnyPool,
    pub clock: Arc<dyn Clock>,
    /// Wakes the publisher; notified after the commit of a revocation.
    pub wake: Arc<Notify>,
    pub pull_lane: PullLane,
}
