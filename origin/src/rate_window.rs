//! One counter: a window of time with so many places. A pure state machine; where it is kept is not
//! known here.

use shared::UnixSeconds;

/// After so long without a failure a window has its first length again.
const FORGOTTEN_AFTER_SECS: u64 = 3600;
const MOST_DOUBLINGS: u32 = 4;

/// So many failures in a window, and then none until its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Each kind counts apart; also the name of the policy in `RateLimit`.
    pub kind: &'static str,
    pub most: u64,
    pub window_secs: u64,
    pub growth: Growth,
}

/// What becomes of the window after one that was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    None,
    /// It is twice as long, up to sixteen times.
    Doubles,
}

/// What the holder of no place is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    pub kind: &'static str,
    pub most: u64,
    pub window_secs: u64,
    pub retry_after_secs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    /// By attempts under way, not by failures.
    AllTaken(Exceeded),
    Refused(Exceeded),
}

/// The counter at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Window {
    pub(crate) started_at_millis: u64,
    pub(crate) failures: u64,
    /// Attempts under way.
    pub(crate) pending: u64,
    /// How often it has doubled.
    pub(crate) doublings: u32,
}

impl Limit {
    pub(crate) const fn new(
        kind: &'static str,
        most: u64,
        window_secs: u64,
        growth: Growth,
    ) -> Self {
        Self {
            kind,
            most,
            window_secs,
            growth,
        }
    }

    /// How long a counter is worth keeping after its last change.
    pub(crate) fn kept_secs(self) -> u64 {
        (self.window_secs << MOST_DOUBLINGS) + FORGOTTEN_AFTER_SECS
    }
}

impl Window {
    /// Takes a place, if there is one.
    pub(crate) fn admit(self, limit: Limit, now: UnixSeconds) -> (Admission, Self) {
        let window = self.at(limit, now);
        if window.failures >= limit.most {
            return (Admission::Refused(window.exceeded(limit, now)), window);
        }
        if window.failures + window.pending >= limit.most {
            return (Admission::AllTaken(window.exceeded(limit, now)), window);
        }
        let pending = window.pending + 1;
        (Admission::Admitted, Self { pending, ..window })
    }

    pub(crate) fn fail(self) -> Self {
        Self {
            failures: self.failures + 1,
            ..self.forgive()
        }
    }

    /// Not below zero: its window may have ended meanwhile, and taken its places along.
    pub(crate) fn forgive(self) -> Self {
        Self {
            pending: self.pending.saturating_sub(1),
            ..self
        }
    }

    pub(crate) fn forget(self) -> Self {
        self.forgive().start_over()
    }

    /// As if nothing had failed, for one who has no place here.
    pub(crate) fn start_over(self) -> Self {
        Self {
            failures: 0,
            doublings: 0,
            ..self
        }
    }

    /// The window that `now` falls into: this one, or a new one.
    fn at(self, limit: Limit, now: UnixSeconds) -> Self {
        let ended_at_millis = self.started_at_millis + self.length_secs(limit) * 1000;
        // A clock that was set back must not prolong a window.
        if (self.started_at_millis..ended_at_millis).contains(&now.as_millis()) {
            return self;
        }
        let is_recent = now.as_millis() < ended_at_millis + FORGOTTEN_AFTER_SECS * 1000;
        let doublings = match limit.growth {
            Growth::Doubles if self.failures >= limit.most && is_recent => {
                (self.doublings + 1).min(MOST_DOUBLINGS)
            }
            Growth::Doubles if is_recent => self.doublings.saturating_sub(1),
            Growth::Doubles | Growth::None => 0,
        };
        Self {
            started_at_millis: now.as_millis(),
            failures: 0,
            pending: 0,
            doublings,
        }
    }

    fn length_secs(self, limit: Limit) -> u64 {
        limit.window_secs << self.doublings.min(MOST_DOUBLINGS)
    }

    fn exceeded(self, limit: Limit, now: UnixSeconds) -> Exceeded {
        let window_secs = self.length_secs(limit);
        let ends_at_millis = self.started_at_millis + window_secs * 1000;
        let left_millis = ends_at_millis.saturating_sub(now.as_millis());
        Exceeded {
            kind: limit.kind,
            most: limit.most,
            window_secs,
            retry_after_secs: left_millis.div_ceil(1000).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::new("test", 3, 60, Growth::Doubles);
    const NOW: UnixSeconds = UnixSeconds::from_secs(1_000_000);

    /// So many failures at once.
    fn fail(mut window: Window, times: u64, now: UnixSeconds) -> Window {
        for _ in 0..times {
            let (admission, taken) = window.admit(LIMIT, now);
            assert_eq!(admission, Admission::Admitted);
            window = taken.fail();
        }
        window
    }

    fn refused_secs(window: Window, now: UnixSeconds) -> Option<u64> {
        match window.admit(LIMIT, now).0 {
            Admission::Refused(exceeded) => Some(exceeded.retry_after_secs),
            Admission::Admitted | Admission::AllTaken(_) => None,
        }
    }

    #[test]
    fn refuses_after_so_many_failures_until_the_window_ends() {
        let window = fail(Window::default(), 3, NOW);
        assert_eq!(refused_secs(window, NOW), Some(60));
        assert_eq!(refused_secs(window, NOW.plus_secs(59)), Some(1));
        assert_eq!(refused_secs(window, NOW.plus_secs(60)), None);
    }

    #[test]
    fn attempts_under_way_are_waited_for_and_count_nothing_when_they_succeed() {
        let mut window = Window::default();
        for _ in 0..3 {
            window = window.admit(LIMIT, NOW).1;
        }
        assert!(matches!(window.admit(LIMIT, NOW).0, Admission::AllTaken(_)));
        let (admission, window) = window.forgive().admit(LIMIT, NOW);
        assert_eq!(admission, Admission::Admitted);
        let window = window.fail().fail().fail();
        assert_eq!(refused_secs(window, NOW), Some(60));
    }

    #[test]
    fn each_window_that_was_used_up_doubles_the_next() {
        let (mut window, mut now) = (Window::default(), NOW);
        for expected in [60, 120, 240, 480, 960, 960] {
            window = fail(window, 3, now);
            assert_eq!(refused_secs(window, now), Some(expected));
            now = now.plus_secs(expected);
        }
        // A quiet hour, and it is as before.
        let later = now.plus_secs(3601);
        assert_eq!(refused_secs(fail(window, 3, later), later), Some(60));
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let window = fail(Window::default(), 2, NOW).admit(LIMIT, NOW).1.forget();
        assert_eq!(refused_secs(fail(window, 3, NOW), NOW), Some(60));
    }

    #[test]
    fn an_end_that_comes_after_its_window_changes_no_other() {
        let window = Window::default().admit(LIMIT, NOW).1;
        let later = window.admit(LIMIT, NOW.plus_secs(61)).1.forgive().forgive();
        assert_eq!((later.pending, later.failures), (0, 0));
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_a_window() {
        let window = fail(Window::default(), 3, NOW);
        assert_eq!(refused_secs(window, NOW.minus_secs(1)), None);
    }
}
