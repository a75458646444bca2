//! The targets of the edge, as ratios to peers in the same run, and whether each is met. A ratio is
//! taken round by round, and its median counts.

use shared::Algorithm;

use super::bundle::Bundle;
use super::case::{Case, Tokens};
use super::results::{Results, Sample};
use super::tokens::ALGORITHMS;
use super::worker::Worker;
use crate::bench::stats::Summary;

const MAX_BUNDLE_KIB: u64 = 250;

/// One line of the table of targets.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) wanted: String,
    pub(super) found: String,
    /// The same ratio by processor time: steadier where the machine is not quiet.
    pub(super) by_cpu: String,
    /// The ratio of a Worker that checks nothing: no verifier that forwards can do better.
    pub(super) ceiling: String,
    /// How much of what was wanted is missing; `None` where the target is met.
    pub(super) missed_by: Option<f64>,
}

pub(super) fn judge(results: &Results, bundles: &[Bundle]) -> Vec<Verdict> {
    let throughput = ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| judge_throughput(results, algorithm));
    let verification = ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| judge_verification(results, algorithm));
    throughput
        .chain(verification)
        .chain(judge_bundle(bundles))
        .collect()
}

/// Requests a second of whole Workers.
fn judge_throughput(results: &Results, algorithm: Algorithm) -> Vec<Verdict> {
    let seen = |worker| Case::new(worker, algorithm, Tokens::Seen);
    let unseen = |worker| Case::new(worker, algorithm, Tokens::Unseen);
    // It does not look at the token, so one kind of it stands for all.
    let nothing = Case::new(Worker::ChecksNothing, Algorithm::EdDsa, Tokens::Seen);
    let ours = Worker::Portcullis;
    let rows = [
        ("a Worker that checks nothing", 0.8, seen(ours), nothing),
        ("`jose`", 2.0, seen(ours), seen(Worker::Jose)),
        ("`jose` + KV", 5.0, seen(ours), seen(Worker::JoseAndKv)),
        (
            "`jose`, never seen",
            1.0,
            unseen(ours),
            unseen(Worker::Jose),
        ),
    ];
    let judge = |(peer, at_least, ours, theirs): (_, _, Option<Case>, Option<Case>)| {
        let (ours, theirs) = (ours?, theirs?);
        let found = ratio(results, ours, theirs, |sample| sample.per_sec)?;
        let by_cpu = ratio(results, theirs, ours, |sample| sample.cpu_micros)?;
        let ceiling = ratio(results, nothing?, theirs, |sample| sample.per_sec)?;
        let what = format!("{}: requests/s beside {peer}", algorithm.name());
        Some(Verdict {
            by_cpu: format!("{:.2}", by_cpu.median),
            ceiling: format!("{:.2}", ceiling.median),
            ..at_least_times(what, at_least, found)
        })
    };
    rows.into_iter().filter_map(judge).collect()
}

/// The cost of verification alone: processor time beyond a Worker in the same language that checks
/// nothing. Ours includes the route, the list, the scope and the identity headers.
fn judge_verification(results: &Results, algorithm: Algorithm) -> Vec<Verdict> {
    let rows = [
        ("never seen", Tokens::Unseen, 1.0),
        ("seen before", Tokens::Seen, 10.0),
    ];
    let judge = |(name, tokens, at_least)| {
        let beyond = |worker, floor| beyond_floor(results, worker, floor, algorithm, tokens);
        let ours = beyond(Worker::Portcullis, Worker::ChecksNothingInRust)?;
        let jose = beyond(Worker::Jose, Worker::ChecksNothing)?;
        // Ours may cost less than the crate's own way through: then nothing is left to compare.
        let ratios = jose
            .iter()
            .zip(&ours)
            .map(|(jose, ours)| jose / ours.max(1.0));
        let what = format!("{}: verification beside `jose`, {name}", algorithm.name());
        Some(at_least_times(what, at_least, Summary::of(ratios)?))
    };
    rows.into_iter().filter_map(judge).collect()
}

/// Microseconds of processor time, round by round.
fn beyond_floor(
    results: &Results,
    worker: Worker,
    floor: Worker,
    algorithm: Algorithm,
    tokens: Tokens,
) -> Option<Vec<f64>> {
    let cpu = |case| results.series(case, |sample| sample.cpu_micros);
    let floor = cpu(Case::new(floor, Algorithm::EdDsa, Tokens::Seen)?);
    let whole = cpu(Case::new(worker, algorithm, tokens)?);
    let beyond: Vec<f64> = whole.iter().zip(floor).map(|(a, b)| a - b).collect();
    (!beyond.is_empty()).then_some(beyond)
}

pub(super) fn ratio(
    results: &Results,
    ours: Case,
    theirs: Case,
    value: impl Fn(&Sample) -> f64,
) -> Option<Summary> {
    let ours = results.series(ours, &value);
    let theirs = results.series(theirs, &value);
    Summary::of(ours.iter().zip(theirs).map(|(a, b)| a / b))
}

fn at_least_times(what: String, at_least: f64, ratio: Summary) -> Verdict {
    Verdict {
        what,
        wanted: format!("≥ {at_least}×"),
        found: format!("{ratio:.2}"),
        by_cpu: "–".to_owned(),
        ceiling: "–".to_owned(),
        missed_by: (ratio.median < at_least).then(|| 1.0 - ratio.median / at_least),
    }
}

fn judge_bundle(bundles: &[Bundle]) -> Option<Verdict> {
    let ours = bundles
        .iter()
        .find(|bundle| bundle.worker == Worker::Portcullis)?;
    let kib = ours.gzipped_bytes.div_ceil(1024);
    let excess = kib.saturating_sub(MAX_BUNDLE_KIB);
    Some(Verdict {
        what: "bundle, gzipped".to_owned(),
        wanted: format!("≤ {MAX_BUNDLE_KIB} KiB"),
        found: format!("{kib} KiB"),
        by_cpu: "–".to_owned(),
        ceiling: "–".to_owned(),
        missed_by: (excess > 0).then(|| to_f64(excess) / to_f64(MAX_BUNDLE_KIB)),
    })
}

/// Kibibytes of a bundle, far below 2^32.
fn to_f64(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX))
}
