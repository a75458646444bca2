//! When to ask which lane for a newer list: one open pull an isolate, backoff while the origin is
//! away, KV while the pull lane cannot be relied on, and both at once after a silence. Pure: time and
//! chance are arguments, and every state is a time that lapses.

use serde::Serialize;
use shared::UnixSeconds;

use crate::config::Switch;
use crate::decision::Refresh;
use crate::lapse::{Backoff, after, is_ahead, is_recent};

/// How long one invocation keeps pulling. The platform allows 30 s after the response.
pub const PULL_LOOP_MS: u64 = 25_000;
/// How long a single pull may hang at the origin.
pub const PULL_WAIT_SECS: u64 = 25;
/// An invocation may make a bounded number of subrequests; the next request opens a new pull.
pub const MAX_PULLS_PER_LOOP: u32 = 40;

/// A little more than a loop takes, so that a cut-off loop is replaced soon after.
const PULL_LAPSE_MS: u64 = PULL_LOOP_MS + 3_000;
/// How long what a lane said holds: neither lane is asked again within this time.
const SETTLED_MS: u64 = 1_000;
/// Without the pull lane: how long KV's word holds. A place of the network reads KV's copy anew no
/// more often than this, so that sooner there is nothing to be learnt from it.
const KV_SILENCE_MS: u64 = 30_000;
/// A pull lane that carries brings a new list with every heartbeat (15 s unless the origin is told
/// otherwise); some seconds more for the way. Where heartbeats are longer, KV is asked without need.
const HEARTBEAT_MS: u64 = 20_000;

#[derive(Debug, Default)]
pub struct Lanes {
    pull: PullLane,
    kv_asked_at: Option<UnixSeconds>,
    kv_settled_at: Option<UnixSeconds>,
    catching_up: Backoff,
}

#[derive(Debug, Default)]
struct PullLane {
    /// The pull that is open, and until when it is believed.
    open: Option<(Ticket, UnixSeconds)>,
    next_ticket: u64,
    backoff: Backoff,
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
        self.pull.backoff.clear();
        self.pull.answered_at = Some(now);
    }

    /// The origin did not answer as it should. `chance` is in `[0, 1)`.
    pub fn note_failure(&mut self, now: UnixSeconds, chance: f64) {
        self.pull.backoff.note_failure(now, chance);
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
        self.pull.backoff.must_wait(now)
    }

    /// Whether a request would start nothing in the background now: a pull is open or has to wait, and
    /// KV need not be asked either.
    #[must_use]
    pub fn are_attended(
        &self,
        pull_lane: Switch,
        list_iat: Option<UnixSeconds>,
        now: UnixSeconds,
    ) -> bool {
        let is_pull_due = pull_lane == Switch::On && self.pull_state(now) == PullState::Idle;
        !is_pull_due && (self.pull_carries(list_iat, now) || self.is_kv_asked(now))
    }

    /// What a request has to do for a newer list before it is decided. Where a pull is open, what is
    /// newer would be here; where none is and the last word is old, it may have been missed. Lanes
    /// that failed a moment ago have nothing to say, and are not waited for.
    #[must_use]
    pub fn refresh(&self, pull_lane: Switch, now: UnixSeconds) -> Refresh {
        let is_followed = match pull_lane {
            Switch::On => self.pull_state(now) != PullState::Idle || self.is_pull_settled(now),
            Switch::Off => is_recent(self.kv_settled_at, KV_SILENCE_MS, now),
        };
        if is_followed || self.catching_up.must_wait(now) {
            Refresh::IfNeeded
        } else {
            Refresh::Due
        }
    }

    /// The lanes told in time what was missed, if anything was.
    pub fn note_caught_up(&mut self) {
        self.catching_up.clear();
    }

    /// They did not: the next requests do not wait for them, longer with each time.
    pub fn note_not_caught_up(&mut self, now: UnixSeconds, chance: f64) {
        self.catching_up.note_failure(now, chance);
    }

    /// Whether KV may be asked in the background: not while the last question is fresh. Notes that
    /// it is being asked.
    pub fn ask_kv(&mut self, now: UnixSeconds) -> bool {
        let is_due = !self.is_kv_asked(now);
        if is_due {
            self.kv_asked_at = Some(now);
        }
        is_due
    }

    fn is_kv_asked(&self, now: UnixSeconds) -> bool {
        is_recent(self.kv_asked_at, SETTLED_MS, now)
    }

    /// KV was read, to whatever avail.
    pub fn note_kv_settled(&mut self, now: UnixSeconds) {
        self.kv_settled_at = Some(now);
    }

    /// Whether KV was read a moment ago. Only a finished question counts: the requests of a cold
    /// isolate must not be turned away because the first of them is still asking.
    #[must_use]
    pub fn is_kv_settled(&self, now: UnixSeconds) -> bool {
        is_recent(self.kv_settled_at, SETTLED_MS, now)
    }

    /// Whether the origin said a moment ago what the newest list is.
    #[must_use]
    pub fn is_pull_settled(&self, now: UnixSeconds) -> bool {
        self.has_origin_answered() && is_recent(self.pull.answered_at, SETTLED_MS, now)
    }

    /// Whether the pull lane can be relied on: its last word was an answer, and the list in memory,
    /// made at `list_iat`, is as new as heartbeats are. An open pull alone says nothing: an origin
    /// that hangs holds it open as well.
    #[must_use]
    pub fn pull_carries(&self, list_iat: Option<UnixSeconds>, now: UnixSeconds) -> bool {
        // An edge whose clock is behind sees a list of the future: that is a new one.
        let is_new =
            list_iat.is_some_and(|iat| iat > now) || is_recent(list_iat, HEARTBEAT_MS, now);
        self.has_origin_answered() && is_new
    }

    fn has_origin_answered(&self) -> bool {
        self.pull.backoff.failures() == 0 && self.pull.answered_at.is_some()
    }

    #[must_use]
    pub fn pull_failures(&self) -> u32 {
        self.pull.backoff.failures()
    }

    #[must_use]
    pub fn pull_answered_at(&self) -> Option<UnixSeconds> {
        self.pull.answered_at
    }
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
