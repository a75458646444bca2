//! A failure that repeats is logged once when it begins, once when it changes, and once when it is
//! over; in between it is only counted.

/// What a task knows of the part that it depends on.
#[derive(Debug)]
pub(super) struct Outage {
    /// What fails, for the log.
    part: &'static str,
    code: Option<&'static str>,
    failures: u64,
}

impl Outage {
    pub(super) fn of(part: &'static str) -> Self {
        Self {
            part,
            code: None,
            failures: 0,
        }
    }

    pub(super) fn failed(&mut self, code: &'static str, error: &dyn std::error::Error) {
        metrics::counter!("portcullis_failures_total", "part" => self.part, "code" => code)
            .increment(1);
        self.failures += 1;
        if self.code.replace(code) != Some(code) {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(part = self.part, code, error = %error, cause, "failing; will try again");
        }
    }

    pub(super) fn is_over(&mut self) {
        if self.code.take().is_some() {
            tracing::info!(part = self.part, failures = self.failures, "works again");
            self.failures = 0;
        }
    }
}
