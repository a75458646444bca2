//! The targets of the origin, as ratios to its peers in the same run, and whether each is met. A
//! ratio is taken round by round, and its median counts.

use super::results::{Results, Sample};
use super::route::Route;
use super::service::Service;
use crate::bench::stats::Summary;

/// Processor time of the peer for a second of ours.
const CPU_RATIO: f64 = 15.0;
const MAX_IDLE_MIB: f64 = 40.0;

/// One line of the table of targets.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) wanted: String,
    pub(super) found: String,
    pub(super) is_met: bool,
}

pub(super) fn judge(results: &Results) -> Vec<Verdict> {
    let measured = |route: &Route| results.keys().any(|(there, _)| there == *route);
    let routes: Vec<Route> = Route::ALL.into_iter().filter(measured).collect();
    let beside_fastapi = routes
        .iter()
        .filter_map(|route| judge_rate(results, *route, Service::FastApi, times_fastapi(*route)?));
    let by_cpu = routes.iter().filter_map(|route| judge_cpu(results, *route));
    let beside_axum = routes
        .iter()
        .filter_map(|route| judge_rate(results, *route, Service::BareAxum, 1.0));
    beside_fastapi
        .chain(by_cpu)
        .chain(beside_axum)
        .chain(judge_memory(results))
        .collect()
}

/// `/login` has none: it is the hash that takes the time, and each service has its own.
fn times_fastapi(route: Route) -> Option<f64> {
    match route {
        Route::Me | Route::Refresh => Some(8.0),
        Route::Introspect => Some(10.0),
        Route::Logout => Some(4.0),
        Route::Login => None,
    }
}

fn judge_rate(results: &Results, route: Route, peer: Service, at_least: f64) -> Option<Verdict> {
    let rate = |sample: &Sample| sample.per_sec;
    let found = results.ratio(route, Service::Portcullis, peer, rate)?;
    let what = format!("{route}: requests/s beside {}", peer.label());
    Some(at_least_times(what, at_least, found))
}

fn judge_cpu(results: &Results, route: Route) -> Option<Verdict> {
    times_fastapi(route)?;
    let cpu = |sample: &Sample| sample.cpu.service;
    let found = results.ratio(route, Service::FastApi, Service::Portcullis, cpu)?;
    let what = format!("{route}: CPU a request of FastAPI's process beside ours");
    Some(at_least_times(what, CPU_RATIO, found))
}

fn at_least_times(what: String, at_least: f64, ratio: Summary) -> Verdict {
    Verdict {
        what,
        wanted: format!("≥ {at_least}×"),
        found: format!("{ratio:.2}"),
        is_met: ratio.median >= at_least,
    }
}

fn judge_memory(results: &Results) -> Option<Verdict> {
    let idle = results.memory.get(&Service::Portcullis)?.fresh.now_mib;
    Some(Verdict {
        what: "memory when idle".to_owned(),
        wanted: format!("≤ {MAX_IDLE_MIB} MiB"),
        found: format!("{idle:.0} MiB"),
        is_met: idle <= MAX_IDLE_MIB,
    })
}
