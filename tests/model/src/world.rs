//! One history: the origin, KV, isolates and time, moved by operations; after each of them what must
//! always hold is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;

use edge::decision::{Decision, DenyReason};
use edge::route::Route;
use serde_json::json;
use shared::{Head, ListError, ListPins, Scope, UnixSeconds};

use crate::isolate::{Isolate, Outside};
use crate::kv::Kv;
use crate::operation::{Operation, USERS};
use crate::origin::{HEARTBEAT_SECS, ISSUER, Origin};
use crate::truth::{Revocation, Token, Truth, subject};

const MOST_ISOLATES: usize = 4;
const BEGIN: UnixSeconds = UnixSeconds::from_secs(1_800_000_000);
/// As many as make a tail worth sealing, and how old it then has to be.
const CROWD: usize = 256;
const CROWD_MILLIS: u64 = 301_000;

/// The promise, broken.
pub type Broken = String;

#[derive(Debug)]
pub struct World {
    now: UnixSeconds,
    origin: Origin,
    kv: Kv,
    pins: ListPins,
    isolates: Vec<Isolate>,
    /// The newest version that each isolate had since it began.
    versions: Vec<u64>,
    routes: Vec<Route>,
    truth: Truth,
    /// Open sessions, and when each began.
    sessions: BTreeMap<String, (usize, UnixSeconds)>,
    user_cut_offs: [u64; USERS],
    issuer_cut_off: u64,
    is_publisher_up: bool,
    published_at: UnixSeconds,
    heads: BTreeMap<u64, Head>,
    delivered_segments: BTreeSet<String>,
    ids: u64,
    pub reached: Reached,
}

/// What a history came to, so that a run can say that it tried something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub forwarded: u64,
    pub refused_as_revoked: u64,
    /// Passed by a list that did not have the revocation yet, before `effective_by`.
    pub passed_in_time: u64,
    pub refused_without_list: u64,
    pub sealed: u64,
    pub merged: u64,
}

impl Add for Reached {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            forwarded: self.forwarded + other.forwarded,
            refused_as_revoked: self.refused_as_revoked + other.refused_as_revoked,
            passed_in_time: self.passed_in_time + other.passed_in_time,
            refused_without_list: self.refused_without_list + other.refused_without_list,
            sealed: self.sealed + other.sealed,
            merged: self.merged + other.merged,
        }
    }
}

impl Reached {
    /// Whether all of it happened at least once.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        [
            self.forwarded,
            self.refused_as_revoked,
            self.passed_in_time,
            self.refused_without_list,
            self.sealed,
            self.merged,
        ]
        .iter()
        .all(|count| *count > 0)
    }
}

impl Default for World {
    fn default() -> Self {
        let origin = Origin::default();
        let mut world = Self {
            now: BEGIN,
            pins: origin.pins(),
            origin,
            kv: Kv::default(),
            isolates: vec![Isolate::default(), Isolate::default()],
            versions: vec![0, 0],
            routes: routes(),
            truth: Truth::default(),
            sessions: BTreeMap::new(),
            user_cut_offs: [0; USERS],
            issuer_cut_off: 0,
            is_publisher_up: true,
            published_at: BEGIN,
            heads: BTreeMap::new(),
            delivered_segments: BTreeSet::new(),
            ids: 0,
            reached: Reached::default(),
        };
        world.publish();
        world
    }
}

/// Until the list's end; only while it is young; and past its end, as far as it allows.
fn routes() -> Vec<Route> {
    let route = |age, stale| {
        let route = json!({
            "path": "/*", "access": "protected", "max_list_age_secs": age, "when_list_stale": stale,
        });
        serde_json::from_value(route).unwrap()
    };
    vec![
        route(json!(null), json!("deny")),
        route(json!(30), json!("deny")),
        route(json!(60), json!({ "allow_up_to_secs": 1000 })),
    ]
}

impl World {
    /// Takes a step, and looks whether everything still holds.
    pub fn take(&mut self, operation: Operation) -> Result<(), Broken> {
        match operation {
            Operation::Request {
                isolate,
                token,
                route,
            } => self.request(isolate, token, route)?,
            Operation::Advance { millis } => self.advance(millis),
            Operation::CutLane { isolate, lane } => {
                let now = self.now;
                self.isolate(isolate).cut(lane, now);
            }
            Operation::MendLane { isolate, lane } => self.isolate(isolate).mend(lane),
            Operation::Reload { isolate } => {
                let place = isolate % self.isolates.len();
                self.isolates[place].reload();
                self.versions[place] = 0;
            }
            Operation::NewIsolate if self.isolates.len() < MOST_ISOLATES => {
                self.isolates.push(Isolate::default());
                self.versions.push(0);
            }
            Operation::NewIsolate => {}
            Operation::LoseKvWrite => self.kv.writes_to_lose += 1,
            Operation::DelayKv { secs } => self.kv.delay_secs = secs,
            Operation::RollBackKv { writes } => self.kv.roll_back(writes, self.now),
            at_origin => self.act_at_origin(at_origin),
        }
        self.look_at_isolates()
    }

    fn act_at_origin(&mut self, operation: Operation) {
        match operation {
            Operation::LogIn { user } => self.log_in(user),
            Operation::Refresh { token } => self.refresh(token),
            Operation::LogOut { token } => self.log_out(token),
            Operation::LogOutAll { user } => self.log_out_all(user),
            Operation::RevokeToken { token } => self.revoke_token(token),
            Operation::RevokeUserBefore { user, secs_ago } => self.cut_off_user(user, secs_ago),
            Operation::RevokeIssuer => {
                self.issuer_cut_off = self.now.as_secs() + 1;
                self.record(Scope::Issuer, ISSUER, Some(self.issuer_cut_off));
            }
            Operation::Crowds { times } => (0..times).for_each(|_| self.crowd()),
            Operation::Publish if self.is_publisher_up => self.publish(),
            Operation::Merge if self.is_publisher_up => self.merge(),
            Operation::Reconcile if self.is_publisher_up => self.reconcile(),
            Operation::KillPublisher { after_commit } => {
                if after_commit && self.is_publisher_up {
                    self.commit();
                }
                self.is_publisher_up = false;
            }
            Operation::StartPublisher if !self.is_publisher_up => {
                self.is_publisher_up = true;
                self.publish();
            }
            _ => {}
        }
    }

    fn isolate(&mut self, number: usize) -> &mut Isolate {
        let place = number % self.isolates.len();
        &mut self.isolates[place]
    }

    // ---- the origin

    fn log_in(&mut self, user: usize) {
        self.wait_for_cut_off(user);
        let sid = self.new_id("session");
        self.sessions.insert(sid.clone(), (user, self.now));
        self.issue(user, &sid);
    }

    fn refresh(&mut self, token: usize) {
        let Some(token) = self.truth.find_token(token).cloned() else {
            return;
        };
        self.wait_for_cut_off(token.user);
        if self.sessions.contains_key(&token.sid) {
            self.issue(token.user, &token.sid);
        }
    }

    fn issue(&mut self, user: usize, sid: &str) {
        let jti = self.new_id("token");
        let token = self.origin.issue(user, sid, &jti, self.now);
        self.truth.tokens.push(token);
    }

    /// A token is dated in whole seconds: one that would fall before a cut-off waits for its second.
    fn wait_for_cut_off(&mut self, user: usize) {
        let cut_off = self.user_cut_offs[user].max(self.issuer_cut_off);
        if cut_off > self.now.as_secs() {
            self.advance(cut_off * 1000 - self.now.as_millis());
        }
    }

    fn log_out(&mut self, token: usize) {
        let Some(sid) = self.truth.find_token(token).map(|token| token.sid.clone()) else {
            return;
        };
        if self.sessions.remove(&sid).is_some() {
            self.record(Scope::Session, &sid, None);
        }
    }

    fn log_out_all(&mut self, user: usize) {
        self.sessions.retain(|_, (owner, _)| *owner != user);
        self.cut_off(user, self.now.as_secs() + 1);
    }

    fn cut_off_user(&mut self, user: usize, secs_ago: u64) {
        let before = self.now.minus_secs(secs_ago);
        self.sessions
            .retain(|_, (owner, began)| *owner != user || *began >= before);
        self.cut_off(user, before.as_millis().div_ceil(1000));
    }

    fn cut_off(&mut self, user: usize, before_secs: u64) {
        self.user_cut_offs[user] = self.user_cut_offs[user].max(before_secs);
        self.record(Scope::User, &subject(user), Some(before_secs));
    }

    fn revoke_token(&mut self, token: usize) {
        if let Some(jti) = self.truth.find_token(token).map(|token| token.jti.clone()) {
            self.record(Scope::Token, &jti, None);
        }
    }

    fn record(&mut self, scope: Scope, name: &str, before_secs: Option<u64>) {
        let recorded = self.origin.record(scope, name, before_secs, self.now);
        self.truth.revocations.push(Revocation {
            row: recorded.row,
            scope,
            name: name.to_owned(),
            before_secs,
            recorded_at: self.now,
            effective_by: recorded.effective_by,
        });
    }

    fn crowd(&mut self) {
        for _ in 0..CROWD {
            let stranger = self.new_id("stranger");
            self.origin
                .record(Scope::Session, &stranger, None, self.now);
        }
        self.advance(CROWD_MILLIS);
    }

    fn new_id(&mut self, what: &str) -> String {
        self.ids += 1;
        format!("{what}-{}", self.ids)
    }

    // ---- publishing

    fn publish(&mut self) {
        self.commit();
        self.deliver();
        for place in 0..self.isolates.len() {
            self.with_isolate(place, Isolate::hear);
        }
    }

    fn commit(&mut self) {
        let segments = self.origin.segments().count();
        let head = self.origin.commit_next_list(self.now);
        let other = self.heads.insert(head.ver, head);
        assert_eq!(other, None, "two heads of one version");
        self.reached.sealed += (self.origin.segments().count() - segments) as u64;
        self.published_at = self.now;
    }

    fn merge(&mut self) {
        self.reached.merged += self.origin.merge(self.now);
    }

    /// New segments first, then the head, as `publisher::deliver`.
    fn deliver(&mut self) {
        for (sha256, bytes) in self.origin.segments() {
            if self.delivered_segments.insert(sha256.to_owned()) {
                self.kv.put_segment(sha256, bytes.to_vec(), self.now);
            }
        }
        self.put_head();
    }

    fn put_head(&mut self) {
        if let Some(list) = self.origin.published() {
            self.kv.put_head(list.message_after(0).to_vec(), self.now);
        }
    }

    /// Reads KV back and puts what is not there, as `publisher::reconcile`.
    fn reconcile(&mut self) {
        for (sha256, bytes) in self.origin.segments() {
            if self.kv.read_segment(sha256, self.now).is_none() {
                self.kv.put_segment(sha256, bytes.to_vec(), self.now);
            }
        }
        self.put_head();
    }

    /// Time goes on, heartbeat by heartbeat.
    fn advance(&mut self, millis: u64) {
        let target = self.now.as_millis() + millis;
        loop {
            let beat = self.published_at.as_millis() + HEARTBEAT_SECS * 1000;
            if !self.is_publisher_up || beat > target {
                break;
            }
            self.now = UnixSeconds::from_millis(beat.max(self.now.as_millis()));
            self.publish();
        }
        self.now = UnixSeconds::from_millis(target);
    }

    // ---- the edge

    fn with_isolate<T>(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut Isolate, Outside<'_>) -> T,
    ) -> T {
        let outside = Outside {
            origin: &self.origin,
            kv: &self.kv,
            pins: &self.pins,
            now: self.now,
        };
        act(&mut self.isolates[place], outside)
    }

    fn request(&mut self, isolate: usize, token: usize, route: usize) -> Result<(), Broken> {
        let Some(token) = self.truth.find_token(token).cloned() else {
            return Ok(());
        };
        let place = isolate % self.isolates.len();
        let decision = self.ask(place, &token, route);
        self.judge(&token, &decision)
    }

    fn ask(&mut self, place: usize, token: &Token, route: usize) -> Decision {
        let route = self.routes[route % self.routes.len()].clone();
        self.with_isolate(place, |isolate, outside| {
            isolate.answer(&token.text, &route, outside)
        })
    }

    /// No token passes after its receipt's `effective_by`; none is refused as revoked that is not.
    fn judge(&mut self, token: &Token, decision: &Decision) -> Result<(), Broken> {
        let now = self.now;
        let mut bounds = self
            .truth
            .revocations_of(token)
            .map(|revocation| self.bound(revocation));
        match decision {
            Decision::Forward(_) => match bounds.min() {
                Some(bound) if now >= bound => {
                    return Err(format!(
                        "{} passed at {now}, promised to end by {bound}",
                        token.jti
                    ));
                }
                Some(_) => self.reached.passed_in_time += 1,
                None => self.reached.forwarded += 1,
            },
            Decision::Deny(DenyReason::Revoked(_)) => {
                if bounds.next().is_none() {
                    return Err(format!("{} was refused as revoked and is not", token.jti));
                }
                self.reached.refused_as_revoked += 1;
            }
            Decision::Deny(DenyReason::List(_)) => self.reached.refused_without_list += 1,
            Decision::Deny(_) | Decision::Gather(_) => {}
        }
        Ok(())
    }

    /// What the receipt says by now: at first a forecast, and a fact once the revocation is in a list.
    fn bound(&self, revocation: &Revocation) -> UnixSeconds {
        let end = self.origin.end_of_lists_without(revocation.row);
        end.map_or(revocation.effective_by, |end| {
            end.max(revocation.recorded_at)
        })
    }

    /// Versions never go back, and a version means one head everywhere.
    fn look_at_isolates(&mut self) -> Result<(), Broken> {
        for (isolate, seen) in self.isolates.iter().zip(&mut self.versions) {
            let version = isolate.version();
            if version < *seen {
                return Err(format!("an isolate went back from {seen} to {version}"));
            }
            *seen = version;
            let held = isolate.list().map(|list| list.head().clone());
            if held.as_ref() != self.heads.get(&version) {
                return Err(format!(
                    "an isolate holds another head of {version} than was published"
                ));
            }
            if isolate.count_of(ListError::VersionConflict) > 0 {
                return Err("an isolate was offered two heads of one version".to_owned());
            }
        }
        Ok(())
    }

    /// Everything is up again; a heartbeat and a request later every isolate says of every token what
    /// the origin would.
    pub fn settle(&mut self) -> Result<(), Broken> {
        self.kv.recover();
        for isolate in &mut self.isolates {
            isolate.mend(edge::list_cache::Lane::Kv);
            isolate.mend(edge::list_cache::Lane::Pull);
        }
        self.take(Operation::StartPublisher)?;
        self.reconcile();
        self.advance(HEARTBEAT_SECS * 1000);
        self.log_in(0);
        let tokens = self.truth.tokens.clone();
        for place in 0..self.isolates.len() {
            self.ask(place, &tokens[0], 0);
            for token in &tokens {
                let decision = self.ask(place, token, 0);
                self.agree(token, &decision)?;
            }
        }
        self.look_at_isolates()
    }

    fn agree(&mut self, token: &Token, decision: &Decision) -> Result<(), Broken> {
        self.judge(token, decision)?;
        let is_over = self.now >= token.exp.plus_secs(shared::LEEWAY_SECS);
        let is_revoked = self.truth.revocations_of(token).next().is_some();
        let agrees = match decision {
            Decision::Forward(_) => !is_over && !is_revoked,
            Decision::Deny(DenyReason::Revoked(_)) => !is_over && is_revoked,
            Decision::Deny(DenyReason::Token(_)) => is_over,
            _ => false,
        };
        if agrees {
            Ok(())
        } else {
            Err(format!("all is up, and {} gets {decision:?}", token.jti))
        }
    }
}
