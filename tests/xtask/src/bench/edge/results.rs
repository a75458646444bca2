//! The samples of a run, by case and round. Knows nothing of how they are shown.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;

use super::case::Case;
use super::worker::Worker;
use crate::bench::stats::Summary;

/// One measurement of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) per_sec: f64,
    pub(super) p50_millis: f64,
    pub(super) p99_millis: f64,
    /// Of the workerd process, a request: its upstream, in the same process, included.
    pub(super) cpu_micros: f64,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    samples: BTreeMap<Case, Vec<Sample>>,
    starts: BTreeMap<Worker, Vec<Duration>>,
}

impl Results {
    pub(super) fn add(&mut self, case: Case, sample: Sample) {
        self.samples.entry(case).or_default().push(sample);
    }

    pub(super) fn add_start(&mut self, worker: Worker, first_response: Duration) {
        self.starts.entry(worker).or_default().push(first_response);
    }

    pub(super) fn cases(&self) -> impl Iterator<Item = Case> {
        self.samples.keys().copied()
    }

    /// One value a round.
    pub(super) fn series(&self, case: Case, value: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let samples = self.samples.get(&case).map_or(&[][..], Vec::as_slice);
        samples.iter().map(value).collect()
    }

    pub(super) fn summary(
        &self,
        case: Case,
        value: impl Fn(&Sample) -> f64,
    ) -> anyhow::Result<Summary> {
        Summary::of(self.series(case, value)).with_context(|| format!("no sample of {case}"))
    }

    pub(super) fn first_response_millis(&self, worker: Worker) -> Option<Summary> {
        let starts = self.starts.get(&worker)?;
        Summary::of(starts.iter().map(|time| time.as_secs_f64() * 1e3))
    }
}
