//! One history: the origin, KV, isolates and time, moved by operations; after each of them what must
//! always hold is looked at.

mod accounts;
mod promise;
mod publishing;
mod reached;

use std::collections::{BTreeMap, BTreeSet};

use edge::list_cache::Lane;
use edge::route::Route;
use serde_json::json;
use shared::{Head, ListPins, UnixSeconds};

use accounts::Accounts;
pub use reached::Reached;

use crate::isolate::Isolate;
use crate::kv::Kv;
use crate::operation::{Operation, REPLICAS};
use crate::origin::{HEARTBEAT_SECS, Origin};
use crate::truth::Truth;

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
    accounts: Accounts,
    /// How far each replica's clock is ahead; behind, where that is negative.
    ahead_millis: [i64; REPLICAS],
    /// The replica that has the lease, and that requests go to.
    acting: usize,
    is_publisher_up: bool,
    published_at: UnixSeconds,
    heads: BTreeMap<u64, Head>,
    delivered_segments: BTreeSet<String>,
    ids: u64,
    pub reached: Reached,
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
            accounts: Accounts::default(),
            ahead_millis: [0; REPLICAS],
            acting: 0,
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

/// Until the list's end; only while it is young; past its end, as far as it allows; and by the
/// origin's word where it is not young, a word that is kept.
fn routes() -> Vec<Route> {
    let route = |age, stale| {
        let mut route = json!({
            "path": "/*", "access": "protected", "max_list_age_secs": age, "when_list_stale": stale,
        });
        if stale == "ask_origin" {
            route["max_introspection_age_secs"] = json!(600);
        }
        serde_json::from_value(route).unwrap()
    };
    vec![
        route(json!(null), json!("deny")),
        route(json!(30), json!("deny")),
        route(json!(60), json!({ "allow_up_to_secs": 1000 })),
        route(json!(5), json!("ask_origin")),
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
            Operation::Chase {
                isolate,
                token,
                route,
                are_lanes_cut,
            } => {
                self.request(isolate, token, route)?;
                self.revoke_token(token);
                if are_lanes_cut {
                    self.take(Operation::CutLane {
                        isolate,
                        lane: Lane::Kv,
                    })?;
                    self.take(Operation::CutLane {
                        isolate,
                        lane: Lane::Pull,
                    })?;
                }
                self.advance_to_bound(token);
                self.request(isolate, token, route)?;
            }
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
            Operation::RevokeIssuer => self.revoke_issuer(),
            Operation::RotateKey => self.origin.keys.rotate(self.replicas_now()),
            Operation::RevokeKey { key } => self.revoke_key(key),
            Operation::Turn { replica } => self.acting = replica % REPLICAS,
            Operation::SetClock {
                replica,
                ahead_millis,
            } => self.ahead_millis[replica % REPLICAS] = ahead_millis,
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

    /// The time by the clock of the replica that acts.
    fn replicas_now(&self) -> UnixSeconds {
        let ahead = self.ahead_millis[self.acting];
        UnixSeconds::from_millis(self.now.as_millis().saturating_add_signed(ahead))
    }

    fn isolate(&mut self, number: usize) -> &mut Isolate {
        let place = number % self.isolates.len();
        &mut self.isolates[place]
    }

    /// To the moment at which the token must have ended. A publication on the way may bring it forward.
    fn advance_to_bound(&mut self, token: usize) {
        while let Some(left) = self.millis_to_bound(token).filter(|left| *left > 0) {
            let to_beat = (self.published_at.as_millis() + HEARTBEAT_SECS * 1000)
                .saturating_sub(self.now.as_millis());
            self.advance(if to_beat > 0 { left.min(to_beat) } else { left });
        }
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
}
