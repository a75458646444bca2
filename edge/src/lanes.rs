//! When to ask which lane for a newer list: one open pull an isolate, backoff while the origin is
//! away, KV while the pull lane cannot be relied on. Pure: time and chance are arguments.
//!
//! An invocation may be cut off at any moment, so nothing here is a flag that someone must reset:
//! every state is a time that lapses. A time that lies further ahead than it can (the clock was
//! turned back) counts as lapsed.

use serde::Serialize;
use shared::UnixSeconds;

/// How long one invocation keeps pulling. The platform allows 30 s after the response.
pub const PULL_LOOP_MS: u64 = 25_000;
/// How long a single pull may hang at the origin.
pub const PULL_WAIT_SECS: u64 = 25;
/// An invocation may make a bounded number of subrequests; the next request opens a new pull.
pub const MAX_PULLS_PER_LOOP: u32 = 40;

/// A little more than a loop takes, so that a cut-off loop is replaced soon after.
const PULL_LAPSE_MS: u64 = PULL_LOOP_MS + 3_000;
const FIRST_BACKOFF_MS: u64 = 500;
const MAX_BACKOFF_MS: u64 = 30_000;
/// How long what a lane said holds: neither lane is asked again within this time.
const SETTLED_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub struct Lanes {
    pull: PullLane,
    kv_asked_at: Option<UnixSeconds>,
    kv_settled_at: Option<UnixSeconds>,
}

#[derive(Debug, Default)]
struct PullLane {
    /// The pull that is open, and until when it is believed.
    open: Option<(Ticket, UnixSeconds)>,
    next_ticket: u64,
    failures: u32,
    /// After a failure: not before this.
    retry_at: Option<UnixSeconds>,
    answered_at: Option<UnixSeconds>,
}

/// Names one opened pull, so that a loop that lapsed and ends late does not close its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// What the status page says of the pull lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Open,
    /// None is open; the next request opens one.
    Idle,
    /// The origin did not answer; the next attempt waits.
    BackingOff,
}

impl Lanes {
    /// A ticket to start a pull with, where none is open and none has to wait.
    pub fn open_pull(&mut self, now: UnixSeconds) -> Option<Ticket> {
        if self.pull_state(now) != PullState::Idle {
            return None;
        }
        let ticket = Ticket(self.pull.next_ticket);
        self.pull.next_ticket += 1;
        self.pull.open = Some((ticket, after(now, PULL_LAPSE_MS)));
        Some(ticket)
    }

    /// The loop with this ticket ended by itself.
    pub fn close_pull(&mut self, ticket: Ticket) {
        self.pull.open = self.pull.open.filter(|(open, _)| *open != ticket);
    }

    /// The origin answered, if only "nothing new".
    pub fn note_answer(&mut self, now: UnixSeconds) {
        self.pull.failures = 0;
        self.pull.retry_at = None;
        self.pull.answered_at = Some(now);
    }

    /// The origin did not answer as it should. `chance` is in `[0, 1)`: isolates that lost the
    /// origin together do not come back together.
    pub fn note_failure(&mut self, now: UnixSeconds, chance: f64) {
        let doublings = self.pull.failures.min(16);
        let ceiling_ms = (FIRST_BACKOFF_MS << doublings).min(MAX_BACKOFF_MS);
        self.pull.failures = self.pull.failures.saturating_add(1);
        self.pull.retry_at = Some(after(now, ceiling_ms / 2 + scale(ceiling_ms / 2, chance)));
    }

    #[must_use]
    pub fn pull_state(&self, now: UnixSeconds) -> PullState {
        let is_open = self
            .pull
            .open
            .is_some_and(|(_, until)| is_ahead(until, now, PULL_LAPSE_MS));
        if self.must_back_off(now) {
            PullState::BackingOff
        } else if is_open {
            PullState::Open
        } else {
            PullState::Idle
        }
    }

    /// Whether a request of its own to the origin would be one too many now.
    #[must_use]
    pub fn must_back_off(&self, now: UnixSeconds) -> bool {
        self.pull
            .retry_at
            .is_some_and(|at| is_ahead(at, now, MAX_BACKOFF_MS))
    }

    /// Whether KV may be asked in the background: not while the last question is fresh. Notes that
    /// it is being asked.
    pub fn ask_kv(&mut self, now: UnixSeconds) -> bool {
        let is_due = !is_recent(self.kv_asked_at, now);
        if is_due {
            self.kv_asked_at = Some(now);
        }
        is_due
    }

    /// KV was read, to whatever avail.
    pub fn note_kv_settled(&mut self, now: UnixSeconds) {
        self.kv_settled_at = Some(now);
    }

    /// Whether KV was read a moment ago. Only a finished question counts: the requests of a cold
    /// isolate must not be turned away because the first of them is still asking.
    #[must_use]
    pub fn is_kv_settled(&self, now: UnixSeconds) -> bool {
        is_recent(self.kv_settled_at, now)
    }

    /// Whether the origin said a moment ago what the newest list is.
    #[must_use]
    pub fn is_pull_settled(&self, now: UnixSeconds) -> bool {
        self.pull_carries() && is_recent(self.pull.answered_at, now)
    }

    /// Whether the pull lane's last word was an answer.
    #[must_use]
    pub fn pull_carries(&self) -> bool {
        self.pull.failures == 0 && self.pull.answered_at.is_some()
    }

    #[must_use]
    pub fn pull_failures(&self) -> u32 {
        self.pull.failures
    }

    #[must_use]
    pub fn pull_answered_at(&self) -> Option<UnixSeconds> {
        self.pull.answered_at
    }
}

fn after(now: UnixSeconds, millis: u64) -> UnixSeconds {
    UnixSeconds::from_millis(now.as_millis() + millis)
}

fn is_recent(past: Option<UnixSeconds>, now: UnixSeconds) -> bool {
    past.is_some_and(|past| is_ahead(after(past, SETTLED_MS), now, SETTLED_MS))
}

/// Ahead of `now`, and by no more than it can honestly be.
fn is_ahead(at: UnixSeconds, now: UnixSeconds, at_most_millis: u64) -> bool {
    at > now && at <= after(now, at_most_millis)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a backoff, scaled by a number in [0, 1)"
)]
fn scale(millis: u64, chance: f64) -> u64 {
    (millis as f64 * chance.clamp(0.0, 1.0)) as u64
}

/// Why a lane gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    #[error("nothing could be reached")]
    Unreachable,
    #[error("the answer took too long")]
    TimedOut,
    #[error("the answer was status {0}")]
    Refused(u16),
    #[error("the answer is longer than it can honestly be")]
    TooLong,
    #[error("KV holds no such value")]
    Absent,
    #[error("the KV namespace is not bound")]
    NotBound,
    #[error("the origin failed a moment ago and is not asked yet")]
    BackingOff,
}

impl LaneError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "lane_unreachable",
            Self::TimedOut => "lane_timed_out",
            Self::Refused(_) => "lane_refused",
            Self::TooLong => "lane_answer_too_long",
            Self::Absent => "lane_value_absent",
            Self::NotBound => "lane_not_bound",
            Self::BackingOff => "lane_backing_off",
        }
    }
}
