//! The samples of a run, by service, route and round. Knows nothing of how they are shown.

use std::collections::BTreeMap;

use anyhow::Context;

use super::process_tree::Memory;
use super::route::Route;
use super::service::Service;
use crate::bench::stats::Summary;

/// One measurement of one route of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) per_sec: f64,
    pub(super) p50_millis: f64,
    pub(super) p99_millis: f64,
    pub(super) cpu: Cpu,
}

/// Processor time in microseconds a request, by who used it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cpu {
    pub(super) service: f64,
    pub(super) postgres: f64,
    pub(super) redis: f64,
    pub(super) load: f64,
}

/// The memory of one service over the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footprint {
    pub(super) fresh: Memory,
    pub(super) after: Memory,
}

#[derive(Debug, Default)]
pub(super) struct Results {
    samples: BTreeMap<(Route, Service), Vec<Sample>>,
    pub(super) memory: BTreeMap<Service, Footprint>,
}

impl Results {
    pub(super) fn add(&mut self, route: Route, service: Service, sample: Sample) {
        let samples = self.samples.entry((route, service)).or_default();
        samples.push(sample);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (Route, Service)> {
        self.samples.keys().copied()
    }

    pub(super) fn summary(
        &self,
        route: Route,
        service: Service,
        value: impl Fn(&Sample) -> f64,
    ) -> anyhow::Result<Summary> {
        Summary::of(self.series(route, service, value))
            .with_context(|| format!("no sample of {route} by {}", service.id()))
    }

    /// `dividend / divisor`, taken round by round.
    pub(super) fn ratio(
        &self,
        route: Route,
        dividend: Service,
        divisor: Service,
        value: impl Fn(&Sample) -> f64,
    ) -> Option<Summary> {
        let above = self.series(route, dividend, &value);
        let below = self.series(route, divisor, &value);
        Summary::of(above.into_iter().zip(below).map(|(a, b)| a / b))
    }

    /// One value a round.
    fn series(&self, route: Route, service: Service, value: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let samples = self.samples.get(&(route, service));
        samples.into_iter().flatten().map(value).collect()
    }
}
