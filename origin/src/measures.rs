//! What this process measures of itself: the recorder that keeps it, and the table of what there is.
//! Each part counts at its own place; no label is ever a client's text.

mod table;

use std::convert::Infallible;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds; the promise is made in tenths of them.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Up to the end of a list of the default life: a revocation that takes longer breaks the promise.
const REVOKE_BUCKETS: [f64; 12] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 15.0, 60.0, 180.0, 600.0,
];

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the recorder on first use; call it before the first metric is counted.
pub(crate) fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let time_to_revoke = "portcullis_time_to_revoke_seconds".to_owned();
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
                .and_then(|builder| {
                    builder.set_buckets_for_metric(Matcher::Full(time_to_revoke), &REVOKE_BUCKETS)
                })
                .and_then(PrometheusBuilder::install_recorder)
                .inspect(|_| table::describe_all())
                .inspect_err(|error| tracing::error!(%error, "metrics cannot be recorded"))
                .ok()
        })
        .as_ref()
}

/// Folds what was measured into buckets, which otherwise only a scrape does: an origin that nobody
/// scrapes must not grow.
pub(crate) async fn keep_compact() -> Infallible {
    let Some(recorder) = recorder() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        recorder.run_upkeep();
    }
}
