//! One fetch of the list: ask a lane, take what is good, count and report what is not.

use serde::Serialize;
use shared::{CheckedSegment, ListError, SegmentRef};

use crate::config::{Config, Switch};
use crate::isolate::Isolate;
use crate::list_cache::{Fault, Lane, Notice, Swapped};
use crate::list_intake::{self, Offer};
use crate::platform::digest::WebCryptoDigester;
use crate::platform::pull::PullQuestion;
use crate::platform::web_crypto::{self, WebCryptoVerifier};
use crate::platform::{Bindings, clock, kv, log, pull};

/// Everything that fetching touches.
#[derive(Debug, Clone)]
pub struct ListFetcher {
    pub isolate: &'static Isolate,
    pub config: &'static Config,
    pub bindings: Bindings,
}

/// What asking a lane came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The list in memory is as new as the lane's.
    UpToDate,
    /// The lane was not asked, did not answer, or its copy was no good.
    Failed,
}

impl ListFetcher {
    /// Asks the origin for a list newer than the one in memory.
    pub async fn pull_once(&self, wait_secs: u64, timeout_ms: u32) -> FetchOutcome {
        let must_back_off = self.isolate.lanes.borrow().must_back_off(clock::now());
        if self.config.pull_lane == Switch::Off || must_back_off {
            return FetchOutcome::Failed;
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

    /// Reads the list that KV has.
    pub async fn refresh_from_kv(&self) -> FetchOutcome {
        let outcome = self.read_kv().await;
        self.isolate
            .lanes
            .borrow_mut()
            .note_kv_settled(clock::now());
        self.settle(Lane::Kv, outcome)
    }

    async fn pull(&self, question: PullQuestion) -> Result<(), Fault> {
        match pull::fetch_head(self.config, question).await? {
            Some(message) => self.take(&message, Lane::Pull).await,
            None => Ok(()),
        }
    }

    async fn read_kv(&self) -> Result<(), Fault> {
        let message = kv::fetch_value(
            &self.bindings,
            shared::KV_HEAD_KEY,
            shared::MAX_MESSAGE_BYTES,
        )
        .await?;
        self.take(&message, Lane::Kv).await
    }

    async fn take(&self, message: &[u8], lane: Lane) -> Result<(), Fault> {
        let offer = Offer {
            message,
            lane,
            now: clock::now(),
        };
        let fetch_segment = async |segment: &SegmentRef| self.fetch_segment(segment).await;
        let lists = &self.isolate.lists;
        let pins = &self.config.pins;
        let swapped = list_intake::take_offer(
            lists,
            offer,
            pins,
            &WebCryptoVerifier::Concurrent,
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
    async fn fetch_segment(&self, segment: &SegmentRef) -> Result<CheckedSegment, ListError> {
        let key = shared::kv_segment_key(&segment.sha256);
        let max_bytes = max_segment_bytes(segment);
        if let Ok(bytes) = kv::fetch_value(&self.bindings, &key, max_bytes).await {
            match CheckedSegment::check_with(segment, bytes, &WebCryptoDigester).await {
                Ok(checked) => return Ok(checked),
                Err(error) => self.report(Lane::Kv, error.into()),
            }
        }
        let fetched = pull::fetch_segment(self.config, segment, max_bytes).await;
        let bytes = fetched.map_err(|error| {
            self.report(Lane::Pull, error.into());
            ListError::SegmentMissing
        })?;
        CheckedSegment::check_with(segment, bytes, &WebCryptoDigester).await
    }

    fn settle_pull(&self, outcome: Result<(), Fault>) -> FetchOutcome {
        let outcome = self.settle(Lane::Pull, outcome);
        let mut lanes = self.isolate.lanes.borrow_mut();
        match outcome {
            FetchOutcome::UpToDate => lanes.note_answer(clock::now()),
            FetchOutcome::Failed => lanes.note_failure(clock::now(), clock::chance()),
        }
        outcome
    }

    /// "Not newer" is the two lanes agreeing, and no fault.
    fn settle(&self, lane: Lane, outcome: Result<(), Fault>) -> FetchOutcome {
        match outcome {
            Ok(()) | Err(Fault::List(ListError::NotNewer)) => {
                self.isolate.lists.borrow_mut().note_good(lane);
                FetchOutcome::UpToDate
            }
            Err(fault) => {
                self.report(lane, fault);
                FetchOutcome::Failed
            }
        }
    }

    fn report(&self, lane: Lane, fault: Fault) {
        let notice = self.isolate.lists.borrow_mut().count_fault(lane, fault);
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

/// A body is hashed only once it is here. No coding takes more than this for what the signed head
/// says is in it.
fn max_segment_bytes(segment: &SegmentRef) -> usize {
    let entries = usize::try_from(segment.count).unwrap_or(usize::MAX);
    entries
        .saturating_mul(32)
        .saturating_add(4096)
        .min(shared::MAX_SEGMENT_BYTES)
}

#[derive(Serialize)]
struct LaneLine {
    event: &'static str,
    lane: Lane,
    code: &'static str,
    /// The version that goes on serving.
    version: u64,
}
