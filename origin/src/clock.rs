//! Where the origin's time comes from. Everything that decides by time takes it as an argument or
//! asks this trait, so that a test can set it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use shared::UnixSeconds;

/// How far a replica's clock may be ahead. Nothing is dropped from the list before it is over by
/// that much: a clock that was set wrong must not bring a revoked token back to life.
pub const CLOCK_ERROR_SECS: u64 = 120;

pub trait Clock: Debug + Send + Sync {
    /// The time now, to the millisecond.
    fn now(&self) -> UnixSeconds;

    /// Someone begins to wait for a later time; only a test's clock counts them.
    fn note_waiter(&self) {}
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
        UnixSeconds::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that stands still until it is set; for tests.
#[derive(Debug)]
pub struct SettableClock {
    millis: AtomicU64,
    waiters: AtomicUsize,
}

impl SettableClock {
    #[must_use]
    pub fn new(now: UnixSeconds) -> Self {
        Self {
            millis: AtomicU64::new(now.as_millis()),
            waiters: AtomicUsize::new(0),
        }
    }

    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// As a clock does that was ahead and is set right.
    pub fn step_back(&self, by: Duration) {
        self.millis.fetch_sub(millis(by), Ordering::SeqCst);
    }

    /// How many have begun to wait for a later time, ever.
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.waiters.load(Ordering::SeqCst)
    }
}

impl Clock for SettableClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn note_waiter(&self) {
        self.waiters.fetch_add(1, Ordering::SeqCst);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns once `clock` shows `time`. It looks again after each sleep: clocks are set, too.
pub async fn wait_until(clock: &dyn Clock, time: UnixSeconds) {
    if clock.now() < time {
        clock.note_waiter();
    }
    loop {
        let left_secs = time.secs_since(clock.now());
        if left_secs <= 0.0 {
            return;
        }
        tokio::time::sleep(Duration::from_secs_f64(left_secs.clamp(0.001, 0.1))).await;
    }
}
