//! Keeping the list fresh: what a request fetches for itself, and what goes on in the background.
//!
//! The effects around `lanes` (when), `platform` (how) and `list_intake` (what is good). Nothing
//! here awaits another request's work.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::Serialize;
use shared::{ListError, SegmentRef};

use crate::config::{Config, Switch};
use crate::isolate::Isolate;
use crate::lanes::{LaneError, MAX_PULLS_PER_LOOP, PULL_LOOP_MS, PULL_WAIT_SECS, Ticket};
use crate::list_cache::{Lane, Notice, Swapped};
use crate::list_intake::{self, MAX_MESSAGE_BYTES, Offer};
use crate::platform::pull::PullQuestion;
use crate::platform::web_crypto::{self, WebCryptoVerifier};
use crate::platform::{Bindings, Call, clock, kv, log, pull};

/// How long a request waits for the origin's list when its own will not do.
const OWN_PULL_TIMEOUT_MS: u32 = 1_000;
/// Between questions that the origin answers at once.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Beyond the time that a pull may hang.
const PULL_GRACE_MS: u32 = 3_000;

/// Everything that refreshing touches; cheap to hand to background work.
#[derive(Debug, Clone)]
pub struct Refresher {
    pub isolate: &'static Isolate,
    pub config: &'static Config,
    pub bindings: Bindings,
}

/// What a lane came to.
enum Outcome {
    /// The list in memory is at least as new as the lane's.
    UpToDate,
    /// The lane's copy was no good, or none came.
    Failed,
}

impl Refresher {
    /// Opens a pull where none is open, and asks KV where the pull lane does not carry.
    pub fn keep_fresh(&self, call: &Call) {
        let now = clock::now();
        let mut lanes = self.isolate.lanes.borrow_mut();
        let ticket = match self.config.pull_lane {
            Switch::On => lanes.open_pull(now),
            Switch::Off => None,
        };
        if let Some(ticket) = ticket {
            let refresher = self.clone();
            call.run_in_background(async move { refresher.keep_pulling(ticket).await });
        }
        if !lanes.pull_carries() && lanes.ask_kv(now) {
            let refresher = self.clone();
            call.run_in_background(async move { refresher.refresh_from_kv().await });
        }
    }

    /// Both lanes at once, for a request that cannot be decided by the list in memory. The origin
    /// has the newest list, so its answer ends the wait; KV's is taken where the origin gives none.
    /// A lane that was asked a moment ago is not asked again.
    pub async fn fetch_own(&self) {
        let now = clock::now();
        let (is_pull_settled, is_kv_settled) = {
            let lanes = self.isolate.lanes.borrow();
            (lanes.is_pull_settled(now), lanes.is_kv_settled(now))
        };
        if is_pull_settled {
            return;
        }
        let origin = pin!(self.pull_once(0, OWN_PULL_TIMEOUT_MS));
        let kv = pin!(async {
            if !is_kv_settled {
                self.refresh_from_kv().await;
            }
        });
        match select(origin, kv).await {
            Either::Left((Outcome::UpToDate, _)) => {}
            Either::Left((Outcome::Failed, kv)) => kv.await,
            Either::Right(((), origin)) => {
                origin.await;
            }
        }
    }

    /// One hanging request after another, until the invocation's time is nearly over.
    async fn keep_pulling(&self, ticket: Ticket) {
        let ends_at = clock::now().as_millis() + PULL_LOOP_MS;
        for _ in 0..MAX_PULLS_PER_LOOP {
            let left_secs = ends_at.saturating_sub(clock::now().as_millis()) / 1000;
            if left_secs == 0 {
                break;
            }
            let wait_secs = left_secs.min(PULL_WAIT_SECS);
            // At most 25 s, so it fits.
            let timeout_ms = u32::try_from(wait_secs * 1000).unwrap_or(u32::MAX) + PULL_GRACE_MS;
            let (asked_at, version) = (clock::now(), self.isolate.lists.borrow().version());
            if let Outcome::Failed = self.pull_once(wait_secs, timeout_ms).await {
                break;
            }
            let is_news = self.isolate.lists.borrow().version() > version;
            if !is_news && clock::now() < asked_at.plus_secs(1) {
                // The origin has no room for another hanging request: poll it instead.
                clock::sleep(POLL_INTERVAL).await;
            }
        }
        self.isolate.lanes.borrow_mut().close_pull(ticket);
    }

    async fn pull_once(&self, wait_secs: u64, timeout_ms: u32) -> Outcome {
        let must_back_off = self.isolate.lanes.borrow().must_back_off(clock::now());
        if self.config.pull_lane == Switch::Off || must_back_off {
            return Outcome::Failed;
        }
        let after = self.isolate.lists.borrow().version();
        let question = PullQuestion {
            after,
            wait_secs,
            timeout_ms,
        };
        match self.pull(question).await {
            // The suffix does not fit the tail that is held: ask for the whole, at once and once.
            Err(Fault::List(ListError::TailMismatch)) if after > 0 => {
                let whole = PullQuestion {
                    after: 0,
                    wait_secs: 0,
                    ..question
                };
                self.settle_pull(self.pull(whole).await)
            }
            outcome => self.settle_pull(outcome),
        }
    }

    async fn pull(&self, question: PullQuestion) -> Result<(), Fault> {
        match pull::fetch_head(self.config, question)
            .await
            .map_err(Fault::Lane)?
        {
            Some(message) => self.take(&message, Lane::Pull).await.map_err(Fault::List),
            None => Ok(()),
        }
    }

    fn settle_pull(&self, outcome: Result<(), Fault>) -> Outcome {
        let mut lanes = self.isolate.lanes.borrow_mut();
        match outcome {
            Ok(()) | Err(Fault::List(ListError::NotNewer)) => {
                lanes.note_answer(clock::now());
                Outcome::UpToDate
            }
            Err(fault) => {
                lanes.note_failure(clock::now(), clock::chance());
                // Only the first failure of a series is news.
                let is_news = lanes.pull_failures() == 1;
                self.report(fault, Lane::Pull, is_news);
                Outcome::Failed
            }
        }
    }

    async fn refresh_from_kv(&self) {
        let outcome = self.read_kv().await;
        self.isolate
            .lanes
            .borrow_mut()
            .note_kv_settled(clock::now());
        match outcome {
            Ok(()) | Err(Fault::List(ListError::NotNewer)) => {}
            Err(fault) => self.report(fault, Lane::Kv, false),
        }
    }

    async fn read_kv(&self) -> Result<(), Fault> {
        let message = kv::fetch_value(&self.bindings, shared::KV_HEAD_KEY, MAX_MESSAGE_BYTES).await;
        self.take(&message.map_err(Fault::Lane)?, Lane::Kv)
            .await
            .map_err(Fault::List)
    }

    async fn take(&self, message: &[u8], lane: Lane) -> Result<(), ListError> {
        let offer = Offer {
            message,
            lane,
            now: clock::now(),
        };
        let fetch_segment = async |segment: &SegmentRef| self.fetch_segment(segment).await;
        let lists = &self.isolate.lists;
        let swapped = list_intake::take_offer(
            lists,
            offer,
            &self.config.pins,
            &WebCryptoVerifier,
            fetch_segment,
        )
        .await?;
        if swapped == Swapped::IssuersChanged {
            self.isolate.tokens.borrow_mut().clear();
            web_crypto::forget_keys();
        }
        if lists.borrow_mut().note_clock(clock::now()) == Notice::New {
            self.log("clock_off", "list_from_the_future", lane);
        }
        Ok(())
    }

    /// KV first: it is near, and spares the origin a stampede of cold isolates.
    async fn fetch_segment(&self, segment: &SegmentRef) -> Option<Vec<u8>> {
        let key = shared::kv_segment_key(&segment.sha256);
        let max_bytes = shared::MAX_SEGMENT_BYTES;
        if let Ok(bytes) = kv::fetch_value(&self.bindings, &key, max_bytes).await {
            return Some(bytes);
        }
        match pull::fetch_segment(self.config, segment, max_bytes).await {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.report(Fault::Lane(error), Lane::Pull, true);
                None
            }
        }
    }

    fn report(&self, fault: Fault, lane: Lane, is_news: bool) {
        let notice = match fault {
            Fault::List(error) => self.isolate.lists.borrow_mut().count_dropped(error, lane),
            Fault::Lane(_) if is_news => Notice::New,
            Fault::Lane(_) => Notice::None,
        };
        if notice == Notice::New {
            self.log(fault.event(), fault.code(), lane);
        }
    }

    fn log(&self, event: &'static str, code: &'static str, lane: Lane) {
        let version = self.isolate.lists.borrow().version();
        log::warn(&LaneLine {
            event,
            lane,
            code,
            version,
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Lane(LaneError),
    List(ListError),
}

impl Fault {
    fn event(self) -> &'static str {
        match self {
            Self::Lane(_) => "lane_failed",
            Self::List(_) => "list_dropped",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Lane(error) => error.code(),
            Self::List(error) => error.code(),
        }
    }
}

#[derive(Serialize)]
struct LaneLine {
    event: &'static str,
    lane: Lane,
    code: &'static str,
    /// The version that goes on serving.
    version: u64,
}
