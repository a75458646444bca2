//! One isolate of the edge: its memory is the edge's own types, and so is every decision. A model is
//! what lies between them in `list_fetch`, `list_refresh` and `evidence`: who is awaited, in which
//! order. Here every answer comes at once or never.

use std::cell::RefCell;
use std::rc::Rc;

use edge::config::Switch;
use edge::decision::{Decision, DecisionInput, Fact, ListFact, Missing, Refresh, decide};
use edge::introspection::{Introspected, Introspection, IntrospectionError};
use edge::introspection_cache::IntrospectionCache;
use edge::lanes::{Lanes, PULL_LOOP_MS, Ticket};
use edge::list_cache::{Fault, Lane, ListCache, Swapped};
use edge::list_intake::{Offer, take_offer};
use edge::route::Route;
use edge::verified_cache::VerifiedCache;
use shared::{
    CheckedSegment, ListError, ListPins, NativeVerifier, RevocationList, SegmentRef, TokenError,
    UnixSeconds, UnverifiedToken, ValidToken, verify_now,
};

use crate::kv::Kv;
use crate::origin::Origin;

const CACHE_BYTES: usize = 1 << 20;
/// In `[0, 1)`: how long a backoff is.
const CHANCE: f64 = 0.5;

#[derive(Debug)]
pub struct Isolate {
    lists: RefCell<ListCache>,
    lanes: Lanes,
    tokens: VerifiedCache,
    /// The pull that hangs at the origin, and until when.
    hanging: Option<(Ticket, UnixSeconds)>,
    is_pull_cut: bool,
    is_kv_cut: bool,
    answers: IntrospectionCache,
    pub asked: Asked,
}

/// How often somebody was asked about a token.
#[derive(Debug, Default, Clone, Copy)]
pub struct Asked {
    pub origin: u64,
    /// An answer from before did.
    pub nobody_again: u64,
}

/// What an isolate can reach, if its lanes are not cut.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    pub origin: &'a Origin,
    pub kv: &'a Kv,
    pub pins: &'a ListPins,
    pub now: UnixSeconds,
    /// By the clock of the replica that is asked.
    pub replicas_now: UnixSeconds,
}

/// A lane brought nothing, or a copy that is no good.
struct LaneFailed;

impl Default for Isolate {
    fn default() -> Self {
        Self {
            lists: RefCell::default(),
            lanes: Lanes::default(),
            tokens: VerifiedCache::new(CACHE_BYTES),
            hanging: None,
            is_pull_cut: false,
            is_kv_cut: false,
            answers: IntrospectionCache::default(),
            asked: Asked::default(),
        }
    }
}

impl Isolate {
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lists.borrow().version()
    }

    #[must_use]
    pub fn list(&self) -> Option<RevocationList> {
        self.lists.borrow().current_list()
    }

    /// How often a copy was dropped for this reason.
    #[must_use]
    pub fn count_of(&self, fault: ListError) -> u64 {
        let lists = self.lists.borrow();
        lists.faults().get(fault.code()).copied().unwrap_or(0)
    }

    pub fn cut(&mut self, lane: Lane, now: UnixSeconds) {
        match lane {
            Lane::Kv => self.is_kv_cut = true,
            Lane::Pull => {
                self.is_pull_cut = true;
                if let Some((ticket, _)) = self.hanging.take() {
                    self.lanes.note_failure(now, CHANCE);
                    self.lanes.close_pull(ticket);
                }
            }
        }
    }

    pub fn mend(&mut self, lane: Lane) {
        match lane {
            Lane::Kv => self.is_kv_cut = false,
            Lane::Pull => self.is_pull_cut = false,
        }
    }

    /// Its memory is gone; what is cut stays cut.
    pub fn reload(&mut self) {
        *self = Self {
            is_pull_cut: self.is_pull_cut,
            is_kv_cut: self.is_kv_cut,
            asked: self.asked,
            ..Self::default()
        };
    }

    /// A list was published: a pull that hangs is answered, one that lapsed is not.
    pub fn hear(&mut self, outside: Outside<'_>) {
        let Some((ticket, ends_at)) = self.hanging else {
            return;
        };
        if outside.now >= ends_at || self.pull_once(outside).is_err() {
            self.hanging = None;
            self.lanes.close_pull(ticket);
        }
    }

    /// Decides a request, then keeps the list fresh, as the handler does.
    pub fn answer(&mut self, token: &str, route: &Route, outside: Outside<'_>) -> Decision {
        let mut list = self.list();
        let mut refresh = self.lanes.refresh(Switch::On, outside.now);
        let mut verdict = Fact::NotGathered;
        let mut answer: Fact<Result<Introspection, IntrospectionError>> = Fact::NotGathered;
        let decision = loop {
            let known: Fact<Result<&ValidToken, TokenError>> = match &verdict {
                Fact::NotGathered => Fact::NotGathered,
                Fact::Known(Ok(token)) => Fact::Known(Ok(Rc::as_ref(token))),
                Fact::Known(Err(error)) => Fact::Known(Err(*error)),
            };
            let input = DecisionInput {
                route: Some(route),
                credentials: Ok(token),
                list: ListFact {
                    list: list.as_ref(),
                    refresh,
                },
                token: known,
                introspection: match &answer {
                    Fact::NotGathered => Fact::NotGathered,
                    Fact::Known(answer) => Fact::Known(answer.as_ref().map_err(|error| *error)),
                },
                now: outside.now,
            };
            match decide(&input) {
                Decision::Gather(Missing::MissedList) => {
                    self.fetch_own(outside);
                    self.lanes.note_caught_up();
                    (list, refresh) = (self.list(), Refresh::IfNeeded);
                }
                Decision::Gather(Missing::FresherList) => {
                    self.fetch_own(outside);
                    (list, refresh) = (self.list(), Refresh::Done);
                }
                Decision::Gather(Missing::VerifiedToken) => {
                    verdict = Fact::Known(self.verify(token, list.as_ref(), outside.now));
                }
                Decision::Gather(Missing::Introspection) => {
                    answer = Fact::Known(self.introspect(token, route, outside));
                }
                decided => break decided,
            }
        };
        self.keep_fresh(outside);
        decision
    }

    fn verify(
        &mut self,
        text: &str,
        list: Option<&RevocationList>,
        now: UnixSeconds,
    ) -> Result<Rc<ValidToken>, TokenError> {
        if let Some(known) = self.tokens.find(text, now) {
            return Ok(known);
        }
        let token = UnverifiedToken::parse(text)?;
        let issuer = token.unverified_issuer()?;
        let trusted = list
            .and_then(|list| list.issuer(&issuer))
            .ok_or(TokenError::IssuerMismatch)?;
        let signed = verify_now(token.verify_signature(&trusted.keys, &NativeVerifier))?;
        let token = Rc::new(signed.validate(&trusted.policy, now)?);
        self.tokens.insert(text, Rc::clone(&token));
        Ok(token)
    }

    /// `Evidence::introspect`.
    fn introspect(
        &mut self,
        text: &str,
        route: &Route,
        outside: Outside<'_>,
    ) -> Result<Introspection, IntrospectionError> {
        let max_age_secs = route.max_introspection_age_secs;
        if let Some(kept) = self.answers.find(text, max_age_secs, outside.now) {
            self.asked.nobody_again += 1;
            return Ok(kept);
        }
        if self.is_pull_cut {
            return Err(IntrospectionError::Unreachable);
        }
        self.asked.origin += 1;
        let (body, cache_control) = outside.origin.introspect(text, outside.replicas_now);
        let answer = Introspected::parse(&body, Some(&cache_control))?;
        self.answers.insert(text, &answer, outside.now);
        Ok(answer.introspection)
    }

    /// `list_refresh::fetch_own`.
    fn fetch_own(&mut self, outside: Outside<'_>) {
        if self.lanes.is_pull_settled(outside.now) {
            return;
        }
        if self.pull_once(outside).is_err() && !self.lanes.is_kv_settled(outside.now) {
            self.refresh_from_kv(outside);
        }
    }

    /// `list_refresh::keep_fresh`.
    fn keep_fresh(&mut self, outside: Outside<'_>) {
        if let Some(ticket) = self.lanes.open_pull(outside.now) {
            if self.pull_once(outside).is_ok() {
                let ends_at = outside.now.as_millis() + PULL_LOOP_MS;
                self.hanging = Some((ticket, UnixSeconds::from_millis(ends_at)));
            } else {
                self.lanes.close_pull(ticket);
            }
        }
        let list_iat = self.list().map(|list| list.head().iat);
        if !self.lanes.pull_carries(list_iat, outside.now) && self.lanes.ask_kv(outside.now) {
            self.refresh_from_kv(outside);
        }
    }

    fn pull_once(&mut self, outside: Outside<'_>) -> Result<(), LaneFailed> {
        if self.lanes.must_back_off(outside.now) {
            return Err(LaneFailed);
        }
        let outcome = self.pull(outside);
        match outcome {
            Ok(()) => self.lanes.note_answer(outside.now),
            Err(LaneFailed) => self.lanes.note_failure(outside.now, CHANCE),
        }
        outcome
    }

    fn pull(&mut self, outside: Outside<'_>) -> Result<(), LaneFailed> {
        if self.is_pull_cut {
            return Err(LaneFailed);
        }
        let after = self.version();
        let newer = outside
            .origin
            .published()
            .filter(|list| list.version() > after);
        let Some(list) = newer else {
            return Ok(());
        };
        match self.take(&list.message_after(after), Lane::Pull, outside) {
            Err(Fault::List(ListError::TailMismatch)) if after > 0 => {
                let whole = self.take(&list.message_after(0), Lane::Pull, outside);
                self.settle(whole, Lane::Pull)
            }
            outcome => self.settle(outcome, Lane::Pull),
        }
    }

    fn refresh_from_kv(&mut self, outside: Outside<'_>) {
        if let (Some(message), false) = (outside.kv.read_head(outside.now), self.is_kv_cut) {
            let outcome = self.take(message, Lane::Kv, outside);
            drop(self.settle(outcome, Lane::Kv));
        }
        self.lanes.note_kv_settled(outside.now);
    }

    fn take(&self, message: &[u8], lane: Lane, outside: Outside<'_>) -> Result<Swapped, Fault> {
        let offer = Offer {
            message,
            lane,
            now: outside.now,
        };
        let fetch_segment = async |segment: &SegmentRef| {
            let bytes = self.find_segment(&segment.sha256, outside);
            CheckedSegment::check(segment, bytes.ok_or(ListError::SegmentMissing)?)
        };
        verify_now(take_offer(
            &self.lists,
            offer,
            outside.pins,
            &NativeVerifier,
            fetch_segment,
        ))
    }

    fn find_segment(&self, sha256: &str, outside: Outside<'_>) -> Option<Vec<u8>> {
        let in_kv = outside
            .kv
            .read_segment(sha256, outside.now)
            .filter(|_| !self.is_kv_cut);
        let found = in_kv.or_else(|| {
            outside
                .origin
                .find_segment(sha256)
                .filter(|_| !self.is_pull_cut)
        });
        found.map(<[u8]>::to_vec)
    }

    /// As `list_fetch` settles: "not newer" is no fault, and what was verified under other keys or
    /// policies is void.
    fn settle(&mut self, outcome: Result<Swapped, Fault>, lane: Lane) -> Result<(), LaneFailed> {
        if outcome == Ok(Swapped::IssuersChanged) {
            self.tokens.clear();
        }
        match outcome {
            Ok(_) | Err(Fault::List(ListError::NotNewer)) => {
                self.lists.borrow_mut().note_good(lane);
                Ok(())
            }
            Err(fault) => {
                self.lists.borrow_mut().count_fault(lane, fault);
                Err(LaneFailed)
            }
        }
    }
}
