//! The fast lane: requests that hang until there is a newer list.

#[derive(Debug, Clone)]
pub struct PullLane {
    max_waiters: usize,
}

impl PullLane {
    #[must_use]
    pub fn new(max_waiters: usize) -> Self {
        Self { max_waiters }
    }

    #[must_use]
    pub fn max_waiters(&self) -> usize {
        self.max_waiters
    }
}
