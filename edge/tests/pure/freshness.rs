//! How fresh is fresh enough: every route policy × state of the list × state of the lanes, as what
//! becomes of a request with a good token. What it fetches brings nothing newer: the worst case.

use std::cell::RefCell;

use crate::support::{ListSpec, NOW, STRANGER, claims, pins, token_text, valid_token};
use edge::config::Switch;
use edge::decision::{Decision, DecisionInput, Fact, ListFact, Missing, Refresh, decide};
use edge::identity::Identity;
use edge::introspection::Introspection;
use edge::lanes::Lanes;
use edge::list_cache::{Lane, ListCache};
use edge::list_intake::{Offer, take_offer};
use edge::response::code_of;
use edge::route::Route;
use serde_json::{Value, json};
use shared::{ListError, NativeVerifier, RevocationList, SegmentRef, UnixSeconds, verify_now};

#[derive(Debug, Clone, Copy)]
enum Policy {
    /// No `max_list_age_secs`, and the default for a list that will not do.
    Plain,
    Deny,
    AskOrigin,
    AllowUpTo,
}

#[derive(Debug, Clone, Copy)]
enum List {
    None,
    /// One was offered, but nobody knows who signed it.
    Unreadable,
    /// A fresh one is held, and a copy of which half is missing was offered since.
    Cut,
    Fresh,
    /// Older than the 30 s of the strict routes.
    TooOld,
    InGrace,
    PastGrace,
}

#[derive(Debug, Clone, Copy)]
enum LaneState {
    Open,
    /// Nobody listened for longer than a pull is believed to be open.
    Lapsed,
    Failing,
    /// KV alone, read a moment ago.
    Off,
}

use LaneState::{Failing, Lapsed, Off, Open};
use List::{Cut, Fresh, InGrace, PastGrace, TooOld, Unreadable};
use Policy::{AllowUpTo, AskOrigin, Deny, Plain};

const LANES: [LaneState; 4] = [Open, Lapsed, Failing, Off];
const PASS: [&str; 4] = ["pass", "catch up, pass", "pass", "pass"];

/// In the order of `LANES`: what the request does, and what it is answered at last.
const TABLE: [(Policy, List, [&str; 4]); 28] = [
    (Plain, List::None, ["fetch, list_absent"; 4]),
    (Plain, Unreadable, ["fetch, list_absent"; 4]),
    (Plain, Cut, PASS),
    (Plain, Fresh, PASS),
    (Plain, TooOld, PASS),
    (Plain, InGrace, ["fetch, list_expired"; 4]),
    (Plain, PastGrace, ["fetch, list_expired"; 4]),
    (Deny, List::None, ["fetch, list_absent"; 4]),
    (Deny, Unreadable, ["fetch, list_absent"; 4]),
    (Deny, Cut, PASS),
    (Deny, Fresh, PASS),
    (Deny, TooOld, ["fetch, list_too_old"; 4]),
    (Deny, InGrace, ["fetch, list_expired"; 4]),
    (Deny, PastGrace, ["fetch, list_expired"; 4]),
    (AskOrigin, List::None, ["fetch, ask, pass"; 4]),
    (AskOrigin, Unreadable, ["fetch, ask, pass"; 4]),
    (AskOrigin, Cut, PASS),
    (AskOrigin, Fresh, PASS),
    (AskOrigin, TooOld, ["ask, pass"; 4]),
    (AskOrigin, InGrace, ["fetch, ask, pass"; 4]),
    (AskOrigin, PastGrace, ["fetch, ask, pass"; 4]),
    (AllowUpTo, List::None, ["fetch, list_absent"; 4]),
    (AllowUpTo, Unreadable, ["fetch, list_absent"; 4]),
    (AllowUpTo, Cut, PASS),
    (AllowUpTo, Fresh, PASS),
    (AllowUpTo, TooOld, ["fetch, pass"; 4]),
    (AllowUpTo, InGrace, ["fetch, pass"; 4]),
    (AllowUpTo, PastGrace, ["fetch, list_expired"; 4]),
];

#[test]
fn decides_every_policy_list_and_lane_as_the_table_says() {
    for (policy, list, expected) in TABLE {
        for (lanes, expected) in LANES.into_iter().zip(expected) {
            let found = walk(policy, list, lanes);
            assert_eq!(found, expected, "{policy:?}, {list:?}, {lanes:?}");
        }
    }
}

impl Policy {
    fn route(self) -> Route {
        let strict = |when_list_stale: Value| {
            json!({
                "path": "/*", "access": "protected", "max_list_age_secs": 30,
                "when_list_stale": when_list_stale,
            })
        };
        let route = match self {
            Plain => json!({ "path": "/*", "access": "protected" }),
            Deny => strict(json!("deny")),
            AskOrigin => strict(json!("ask_origin")),
            AllowUpTo => strict(json!({ "allow_up_to_secs": 900 })),
        };
        serde_json::from_value(route).unwrap()
    }
}

impl List {
    /// What the isolate holds after what it was offered, and the time.
    fn held_and_now(self) -> (Option<RevocationList>, UnixSeconds) {
        let cache = RefCell::default();
        let spec = ListSpec {
            grace: 60,
            ..ListSpec::default()
        };
        let good = spec.message().to_json();
        match self {
            Self::None => {}
            Unreadable => {
                let forged = ListSpec {
                    signed_by: STRANGER,
                    ..spec
                };
                offer(&cache, forged.message().to_json().as_bytes());
            }
            Cut => {
                offer(&cache, good.as_bytes());
                let newer = ListSpec { ver: 2, ..spec }.message().to_json();
                offer(&cache, &newer.as_bytes()[..newer.len() / 2]);
            }
            Fresh | TooOld | InGrace | PastGrace => offer(&cache, good.as_bytes()),
        }
        let age_secs = match self {
            TooOld => 31,
            InGrace => 200,
            PastGrace => 240,
            Self::None | Unreadable | Cut | Fresh => 10,
        };
        let held = cache.borrow().current_list();
        (held, NOW.plus_secs(age_secs))
    }
}

/// Whether it was any good shows in what is held.
fn offer(cache: &RefCell<ListCache>, message: &[u8]) {
    let offer = Offer {
        message,
        lane: Lane::Pull,
        now: NOW,
    };
    let (pins, fetch) = (pins(), async |_: &SegmentRef| {
        Err(ListError::SegmentMissing)
    });
    let taken = take_offer(cache, offer, &pins, &NativeVerifier, fetch);
    let _ = verify_now(taken);
}

fn open_pull(lanes: &mut Lanes, at: UnixSeconds) {
    assert!(lanes.open_pull(at).is_some());
}

impl LaneState {
    fn refresh(self, now: UnixSeconds) -> Refresh {
        let mut lanes = Lanes::default();
        match self {
            Open => open_pull(&mut lanes, now.minus_secs(27)),
            Lapsed => {
                lanes.note_answer(now.minus_secs(40));
                open_pull(&mut lanes, now.minus_secs(29));
            }
            Failing => lanes.note_failure(now, 0.5),
            Off => {
                lanes.note_kv_settled(now.minus_secs(1));
                return lanes.refresh(Switch::Off, now);
            }
        }
        lanes.refresh(Switch::On, now)
    }
}

/// Decides again and again, as the handler does, and writes down each step.
fn walk(policy: Policy, list: List, lanes: LaneState) -> String {
    let (route, text, token) = (
        policy.route(),
        token_text(&claims()),
        valid_token(&claims()),
    );
    let (held, now) = list.held_and_now();
    let active = Introspection::Active(Identity::of(token.claims()));
    let mut input = DecisionInput {
        route: Some(&route),
        credentials: Ok(&text),
        list: ListFact {
            list: held.as_ref(),
            refresh: lanes.refresh(now),
        },
        token: Fact::Known(Ok(&token)),
        introspection: Fact::NotGathered,
        now,
    };
    let mut steps = Vec::new();
    loop {
        steps.push(match decide(&input) {
            Decision::Forward(_) => "pass",
            Decision::Deny(reason) => code_of(&reason),
            Decision::Gather(Missing::MissedList) => {
                input.list.refresh = Refresh::IfNeeded;
                "catch up"
            }
            Decision::Gather(Missing::FresherList) => {
                input.list.refresh = Refresh::Done;
                "fetch"
            }
            Decision::Gather(Missing::Introspection) => {
                input.introspection = Fact::Known(Ok(&active));
                "ask"
            }
            Decision::Gather(Missing::VerifiedToken) => "verify",
        });
        let is_decided = !matches!(steps.last(), Some(&("catch up" | "fetch" | "ask")));
        if is_decided {
            return steps.join(", ");
        }
    }
}
