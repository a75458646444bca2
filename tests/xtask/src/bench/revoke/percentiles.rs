//! Percentiles of a series of times, by the nearest rank.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Percentiles(Vec<Duration>);

impl Percentiles {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What `percent` of the series did not exceed; zero for an empty one.
    pub(super) fn at(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        let index = rank.saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(super) fn max(&self) -> Duration {
        self.at(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_nearest_rank() {
        let times = Percentiles::of((1..=200).rev().map(Duration::from_millis).collect());
        let at = |percent| times.at(percent).as_millis();
        assert_eq!((at(50), at(95), at(99), at(100)), (100, 190, 198, 200));
    }

    #[test]
    fn an_empty_series_has_no_times() {
        assert_eq!(Percentiles::of(Vec::new()).max(), Duration::ZERO);
    }
}
