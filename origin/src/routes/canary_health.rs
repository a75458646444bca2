//! The canary's part of `GET /health/ready`.

use serde::Serialize;

use crate::app::App;
use crate::canary::Observation;
use crate::iso_time;

/// What the canary saw last. It makes the origin degraded, never unavailable: a sick edge is no
/// reason to take the origin away from the others.
#[derive(Serialize)]
pub(super) struct CanaryHealth {
    status: CanaryStatus,
    /// Why it failed, and at which edge.
    code: Option<&'static str>,
    edge: Option<String>,
    observed_at: Option<String>,
    /// From the logout to the last edge's refusal.
    time_to_revoke_ms: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CanaryStatus {
    NotConfigured,
    /// Nothing was observed yet.
    Pending,
    Ok,
    /// Refused, but after more than half of what a list may live.
    Late,
    Failing,
}

impl CanaryHealth {
    pub(super) fn is_at_risk(&self) -> bool {
        matches!(self.status, CanaryStatus::Late | CanaryStatus::Failing)
    }

    pub(super) fn of(app: &App) -> Self {
        if app.config.canary.edges.is_empty() {
            return Self::unobserved(CanaryStatus::NotConfigured);
        }
        match app.canary.last() {
            None => Self::unobserved(CanaryStatus::Pending),
            Some(observation) => Self::observed(observation, app.config.list.lifetime_secs),
        }
    }

    fn unobserved(status: CanaryStatus) -> Self {
        Self {
            status,
            code: None,
            edge: None,
            observed_at: None,
            time_to_revoke_ms: None,
        }
    }

    fn observed(observation: Observation, list_lifetime_secs: u64) -> Self {
        let observed_at = Some(iso_time::format(observation.at));
        let unobserved = Self::unobserved(CanaryStatus::Failing);
        match observation.outcome {
            Ok(took) => Self {
                status: if took.as_secs() * 2 > list_lifetime_secs {
                    CanaryStatus::Late
                } else {
                    CanaryStatus::Ok
                },
                observed_at,
                time_to_revoke_ms: u64::try_from(took.as_millis()).ok(),
                ..unobserved
            },
            Err(failure) => Self {
                code: Some(failure.code()),
                edge: failure.edge().map(str::to_owned),
                observed_at,
                ..unobserved
            },
        }
    }
}
