//! Where the origin's time comes from. Everything that decides by time takes it as an argument or
//! asks this trait, so that a test can set it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use shared::UnixSeconds;

pub trait Clock: Debug + Send + Sync {
    /// The time now, to the millisecond.
    fn now(&self) -> UnixSeconds;
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
pub struct SettableClock(AtomicU64);

impl SettableClock {
    #[must_use]
    pub fn new(now: UnixSeconds) -> Self {
        Self(AtomicU64::new(now.as_millis()))
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Returns once `clock` shows `time`. It looks again after each sleep: clocks are set, too.
pub async fn wait_until(clock: &dyn Clock, time: UnixSeconds) {
    loop {
        let left_secs = time.secs_since(clock.now());
        if left_secs <= 0.0 {
            return;
        }
        tokio::time::sleep(Duration::from_secs_f64(left_secs.clamp(0.001, 0.1))).await;
    }
}
