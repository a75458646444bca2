//! Every metric: its name, kind, labels and meaning. `METRICS.md` is this table for people; a test
//! holds both, and the places that count, to each other.

use metrics::{describe_counter, describe_gauge, describe_histogram};

use crate::{canary, store};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

struct Metric {
    name: &'static str,
    kind: Kind,
    /// With what values, where that is not plain.
    labels: &'static str,
    help: &'static str,
}

/// Gauges that go up and down with events, and stand at 0 before the first.
const COUNTED_GAUGES: [&str; 2] = ["portcullis_pull_waiters", "portcullis_password_queue"];

const fn metric(
    kind: Kind,
    name: &'static str,
    labels: &'static str,
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

use Kind::{Counter, Gauge, Histogram};

#[rustfmt::skip]
const METRICS: &[Metric] = &[
    metric(Counter, "portcullis_http_requests_total", "method, route, status", "Requests that were answered. The route is the pattern, never the path; other methods are `other`, other paths `unmatched`"),
    metric(Histogram, "portcullis_http_request_seconds", "method, route, status", "Time from a request's head to its answer"),
    metric(Counter, "portcullis_panics_total", "", "Handlers that panicked"),
    metric(Counter, "portcullis_log_lines_lost_total", "", "Log lines that were dropped because nobody took them from stderr in time"),

    metric(Counter, "portcullis_log_ins_total", "outcome: `succeeded` or the error's code", "Log-ins, those by `/token` included"),
    metric(Counter, "portcullis_refreshes_total", "decision", "Refreshes, by what was decided"),
    metric(Counter, "portcullis_limited_total", "kind: the limit", "Attempts that a limit refused"),
    metric(Gauge, "portcullis_password_queue", "", "Passwords that are being hashed or wait for it"),
    metric(Histogram, "portcullis_password_wait_seconds", "", "Time that a password waited for a thread"),
    metric(Histogram, "portcullis_password_hash_seconds", "", "Time that judging or hashing a password took"),
    metric(Counter, "portcullis_passwords_refused_total", "", "Passwords that were not looked at because the queue was full"),

    metric(Counter, "portcullis_revocations_total", "scope", "Revocations that were recorded"),
    metric(Counter, "portcullis_revocations_published_total", "", "Revocations that this replica put into a list"),
    metric(Counter, "portcullis_lists_published_total", "", "Lists that this replica published"),
    metric(Gauge, "portcullis_list_version", "", "Version of the newest list that this replica published"),
    metric(Histogram, "portcullis_publication_seconds", "", "Time that publishing a list took"),
    metric(Gauge, "portcullis_publishing_lag_seconds", "", "Age of the oldest revocation that no list carries; 0: there is none; NaN: the database does not say"),
    metric(Gauge, "portcullis_list_age_seconds", "", "Age of the newest list, of the newest that this replica has where the database does not say; NaN: there is none"),
    metric(Gauge, "portcullis_kv_lag_seconds", "", "Age of the oldest list that KV should have and has not, nor a newer one; 0: there is none; absent without KV"),
    metric(Counter, "portcullis_kv_heads_delivered_total", "", "Heads that KV took"),
    metric(Counter, "portcullis_kv_repairs_total", "value: `head` or `segment`", "What was missing or wrong in KV and was put again"),
    metric(Counter, "portcullis_segment_merges_total", "", "Merges of segments"),
    metric(Gauge, "portcullis_pull_waiters", "", "Edges that hold a request open for the next list"),
    metric(Gauge, "portcullis_receipt_waiters", "", "Requests that wait for a revocation to be delivered"),
    metric(Histogram, "portcullis_time_to_revoke_seconds", "layer, lane, edge: an URL of `PORTCULLIS_CANARY_EDGES`", "From the canary's log-out to what its layer says"),
    metric(Counter, "portcullis_canary_failures_total", "code", "Observations of the canary that failed"),

    metric(Counter, "portcullis_store_errors_total", "kind: `busy`, `connection`, `late`, `full`, `read_only`, `other`", "Statements that failed or were given up, in requests and in background tasks"),
    metric(Gauge, "portcullis_database_connections", "state: `in_use` or `idle`", "Connections of this replica's requests to the database"),
    metric(Gauge, "portcullis_database_connections_most", "", "As many as there may be"),
    metric(Counter, "portcullis_redis_errors_total", "", "Commands that Redis failed, or did not answer in time"),
    metric(Gauge, "portcullis_redis_connected", "", "1 while Redis is connected, 0 while the database answers in its place; absent without Redis"),
    metric(Counter, "portcullis_redis_rebuilds_total", "", "Times that this replica filled Redis from the database"),
    metric(Counter, "portcullis_redis_missing_keys_total", "", "Revocations that Redis lost"),
    metric(Counter, "portcullis_failures_total", "part, code", "Failures of background tasks"),
    metric(Counter, "portcullis_retention_failures_total", "", "Rounds of deletion that failed"),
    metric(Counter, "portcullis_key_errors_total", "code", "Failures to follow the published token keys"),

    metric(Counter, "portcullis_mails_total", "kind, outcome", "Mails that came to an end"),
    metric(Counter, "portcullis_mail_failures_total", "code", "Attempts to send a mail that failed and will be repeated"),
];

/// Counters of what is worth an alarm, by label and its closed set of values.
const ALARMS: [(&str, &str, &[&str]); 2] = [
    (
        "portcullis_store_errors_total",
        "kind",
        &store::errors::KINDS,
    ),
    (
        "portcullis_canary_failures_total",
        "code",
        &canary::failure::CODES,
    ),
];

/// Help for each; and a counter without labels, or one that is worth an alarm, is there from the
/// start, so that its first event is an increase.
pub(super) fn describe_all() {
    for name in COUNTED_GAUGES {
        metrics::gauge!(name).increment(0.0);
    }
    for (name, label, values) in ALARMS {
        for value in values {
            metrics::counter!(name, label => *value).increment(0);
        }
    }
    for metric in METRICS {
        match metric.kind {
            Counter => {
                describe_counter!(metric.name, metric.help);
                if metric.labels.is_empty() {
                    metrics::counter!(metric.name).increment(0);
                }
            }
            Gauge => describe_gauge!(metric.name, metric.help),
            Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_table_for_people_is_this_one() {
        let rows = METRICS.iter().map(|metric| {
            format!(
                "| `{}` | {} | {} | {} |",
                metric.name,
                format!("{:?}", metric.kind).to_lowercase(),
                metric.labels,
                metric.help
            )
        });
        let expected: Vec<_> = rows.collect();
        let document = include_str!("../../METRICS.md");
        let found: Vec<_> = document
            .lines()
            .filter(|line| line.starts_with("| `portcullis_"))
            .collect();
        assert_eq!(
            found,
            expected,
            "METRICS.md should say:\n{}",
            expected.join("\n")
        );
    }

    #[test]
    fn what_is_counted_is_in_the_table_and_nothing_else_is() {
        let mut counted = BTreeSet::new();
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut counted,
        );
        let known: BTreeSet<_> = METRICS
            .iter()
            .map(|metric| metric.name.to_owned())
            .collect();
        assert_eq!(counted, known);
    }

    fn collect(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, names);
            } else if !path.ends_with("measures/table.rs") {
                let text = fs::read_to_string(&path).unwrap();
                for call in ["counter!(", "gauge!(", "histogram!("] {
                    let places = text.split(call).skip(1);
                    names.extend(places.filter_map(|rest| {
                        let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
                        Some(name.to_owned())
                    }));
                }
            }
        }
    }
}
