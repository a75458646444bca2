//! Who publishes: one replica at a time. A holder shows signs of life; whoever sees none for
//! [`LEASE`] by its own steady clock may take over, so no replica's wall clock matters. Safety does
//! not rest on time at all: every write is bound to the fencing number (`store::lease::confirm`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::AnyPool;

use crate::fault::{self, Gap};
use crate::store::lease::{self, LeaseRow};

/// A holder that was silent for this long is taken to be dead.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often a holder shows that it lives.
pub const RENEWAL: Duration = Duration::from_secs(3);
const NOT_HELD: u64 = 0;

/// This replica's hold on the lease. The fencing number is read by every task that writes.
#[derive(Debug)]
pub struct Lease {
    holder: String,
    fence: AtomicU64,
}

impl Lease {
    /// `holder` names this replica; the same name after a restart gets its own lease back at once.
    #[must_use]
    pub fn new(holder: String) -> Self {
        Self {
            holder,
            fence: AtomicU64::new(NOT_HELD),
        }
    }

    /// The fencing number, while this replica holds the lease as far as it knows.
    #[must_use]
    pub fn fence(&self) -> Option<u64> {
        Some(self.fence.load(Ordering::Acquire)).filter(|fence| *fence != NOT_HELD)
    }

    /// Takes the lease if it is free, or if an earlier life of this replica held it.
    pub async fn claim_at_start(&self, pool: &AnyPool) -> sqlx::Result<Option<u64>> {
        let row = lease::load(pool).await?;
        if row.holder.is_empty() || row.holder == self.holder {
            return self.take(pool, &row).await;
        }
        Ok(None)
    }

    /// Takes the lease if `watch` has seen no sign of life for long enough.
    pub async fn claim_if_silent(
        &self,
        pool: &AnyPool,
        watch: &mut LeaseWatch,
        now: Instant,
    ) -> sqlx::Result<Option<u64>> {
        let row = lease::load(pool).await?;
        match watch.observe(&row, now) {
            Holder::Gone => self.take(pool, &row).await,
            Holder::Alive => Ok(None),
        }
    }

    async fn take(&self, pool: &AnyPool, seen: &LeaseRow) -> sqlx::Result<Option<u64>> {
        let fence = lease::take(pool, seen, &self.holder).await?;
        if let Some(fence) = fence {
            fault::cross(Gap::LeaseTaken);
            tracing::info!(lease.fence = fence, "this replica publishes now");
            self.fence.store(fence, Ordering::Release);
        }
        Ok(fence)
    }

    /// Shows a sign of life; finds out if another replica took over.
    pub async fn renew(&self, pool: &AnyPool) -> sqlx::Result<()> {
        if let Some(fence) = self.fence()
            && lease::renew(pool, fence).await?.is_none()
        {
            self.lose();
        }
        Ok(())
    }

    /// To be called when a write was refused for its fencing number.
    pub fn lose(&self) {
        if self.fence.swap(NOT_HELD, Ordering::AcqRel) != NOT_HELD {
            tracing::warn!("another replica publishes now");
        }
    }

    /// Gives the lease back at an orderly end.
    pub async fn release(&self, pool: &AnyPool) -> sqlx::Result<()> {
        match self.fence.swap(NOT_HELD, Ordering::AcqRel) {
            NOT_HELD => Ok(()),
            fence => lease::release(pool, fence).await,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Alive,
    Gone,
}

/// What a candidate remembers of the lease.
#[derive(Debug, Default)]
pub struct LeaseWatch {
    last_sign: Option<(LeaseRow, Instant)>,
}

impl LeaseWatch {
    pub fn observe(&mut self, row: &LeaseRow, now: Instant) -> Holder {
        if row.holder.is_empty() {
            return Holder::Gone;
        }
        match &self.last_sign {
            Some((seen, at)) if seen == row => {
                if now.duration_since(*at) >= LEASE {
                    Holder::Gone
                } else {
                    Holder::Alive
                }
            }
            _ => {
                self.last_sign = Some((row.clone(), now));
                Holder::Alive
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(holder: &str, beat: u64) -> LeaseRow {
        LeaseRow {
            holder: holder.to_owned(),
            fence: 7,
            beat,
        }
    }

    #[test]
    fn a_free_lease_may_be_taken_at_once() {
        assert_eq!(
            LeaseWatch::default().observe(&row("", 1), Instant::now()),
            Holder::Gone
        );
    }

    #[test]
    fn a_holder_is_gone_only_after_a_whole_lease_without_a_sign() {
        let start = Instant::now();
        let mut watch = LeaseWatch::default();
        assert_eq!(watch.observe(&row("a", 1), start), Holder::Alive);
        assert_eq!(
            watch.observe(&row("a", 1), start + LEASE / 2),
            Holder::Alive
        );
        assert_eq!(watch.observe(&row("a", 2), start + LEASE), Holder::Alive);
        assert_eq!(
            watch.observe(&row("a", 2), start + LEASE + RENEWAL),
            Holder::Alive
        );
        assert_eq!(watch.observe(&row("a", 2), start + LEASE * 2), Holder::Gone);
    }
}
