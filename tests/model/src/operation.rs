//! What can happen in a history, and how often. Numbers that choose a user, a token or an isolate
//! count round those that there are, so that a shrunk history stays a history.

use edge::list_cache::Lane;
use proptest::collection::vec;
use proptest::prelude::*;
use shared::LEEWAY_SECS;

pub const USERS: usize = 3;
pub const REPLICAS: usize = 2;
/// Half the leeway: no two replicas are further apart than that.
pub const MOST_AHEAD_MILLIS: u64 = LEEWAY_SECS * 500;

#[derive(Debug, Clone, Copy)]
pub enum Operation {
    LogIn {
        user: usize,
    },
    LogOut {
        token: usize,
    },
    LogOutAll {
        user: usize,
    },
    Refresh {
        token: usize,
    },
    RevokeToken {
        token: usize,
    },
    /// An operator's cut-off in the past: younger tokens live on.
    RevokeUserBefore {
        user: usize,
        secs_ago: u64,
    },
    RevokeIssuer,
    RotateKey,
    /// It leaked.
    RevokeKey {
        key: usize,
    },
    /// Strangers log out, enough of them that the tail is worth sealing, and time goes on until it is;
    /// so many times.
    Crowds {
        times: usize,
    },
    Advance {
        millis: u64,
    },
    /// From now on this replica has the lease, and requests go to it.
    Turn {
        replica: usize,
    },
    SetClock {
        replica: usize,
        /// Behind, where it is negative.
        ahead_millis: i64,
    },
    Publish,
    Merge,
    /// Dies, or dies between the commit of a list and its delivery.
    KillPublisher {
        after_commit: bool,
    },
    StartPublisher,
    LoseKvWrite,
    DelayKv {
        secs: u64,
    },
    RollBackKv {
        writes: usize,
    },
    Reconcile,
    CutLane {
        isolate: usize,
        lane: Lane,
    },
    MendLane {
        isolate: usize,
        lane: Lane,
    },
    /// An isolate loses its memory.
    Reload {
        isolate: usize,
    },
    NewIsolate,
    Request {
        isolate: usize,
        token: usize,
        route: usize,
    },
    /// A request now; then the token is revoked, and asked about again in the first moment in which it
    /// must not pass.
    Chase {
        isolate: usize,
        token: usize,
        route: usize,
        are_lanes_cut: bool,
    },
}

/// A history of up to `most` operations.
pub fn history(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..most)
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => at_origin(),
        3 => time_and_publisher(),
        2 => between(),
        4 => (0..4_usize, any::<prop::sample::Index>(), 0..4_usize).prop_map(|(isolate, token, route)| {
            Operation::Request { isolate, token: token.index(64), route }
        }),
        1 => (0..4_usize, 0..64_usize, 0..4_usize, any::<bool>())
            .prop_map(|(isolate, token, route, are_lanes_cut)| {
                Operation::Chase { isolate, token, route, are_lanes_cut }
            }),
    ]
}

fn at_origin() -> impl Strategy<Value = Operation> {
    let (user, token) = (0..USERS, 0..64_usize);
    prop_oneof![
        5 => user.clone().prop_map(|user| Operation::LogIn { user }),
        3 => token.clone().prop_map(|token| Operation::LogOut { token }),
        1 => user.clone().prop_map(|user| Operation::LogOutAll { user }),
        2 => token.clone().prop_map(|token| Operation::Refresh { token }),
        2 => token.prop_map(|token| Operation::RevokeToken { token }),
        1 => (user, 0..120_u64).prop_map(|(user, secs_ago)| Operation::RevokeUserBefore { user, secs_ago }),
        1 => Just(Operation::RevokeIssuer),
        3 => Just(Operation::RotateKey),
        1 => (0..4_usize).prop_map(|key| Operation::RevokeKey { key }),
        2 => (1..6_usize).prop_map(|times| Operation::Crowds { times }),
    ]
}

fn time_and_publisher() -> impl Strategy<Value = Operation> {
    let most_ahead = MOST_AHEAD_MILLIS.cast_signed();
    prop_oneof![
        6 => (0..3_000_u64).prop_map(|millis| Operation::Advance { millis }),
        2 => (3_000..200_000_u64).prop_map(|millis| Operation::Advance { millis }),
        4 => Just(Operation::Publish),
        2 => Just(Operation::Merge),
        1 => any::<bool>().prop_map(|after_commit| Operation::KillPublisher { after_commit }),
        2 => Just(Operation::StartPublisher),
        2 => (0..REPLICAS).prop_map(|replica| Operation::Turn { replica }),
        1 => (0..REPLICAS, -most_ahead..=most_ahead)
            .prop_map(|(replica, ahead_millis)| Operation::SetClock { replica, ahead_millis }),
    ]
}

fn between() -> impl Strategy<Value = Operation> {
    let lane = prop_oneof![Just(Lane::Kv), Just(Lane::Pull)];
    let cut = (0..4_usize, lane);
    prop_oneof![
        1 => Just(Operation::LoseKvWrite),
        1 => (0..400_u64).prop_map(|secs| Operation::DelayKv { secs }),
        1 => (1..6_usize).prop_map(|writes| Operation::RollBackKv { writes }),
        1 => Just(Operation::Reconcile),
        3 => cut.clone().prop_map(|(isolate, lane)| Operation::CutLane { isolate, lane }),
        2 => cut.prop_map(|(isolate, lane)| Operation::MendLane { isolate, lane }),
        1 => (0..4_usize).prop_map(|isolate| Operation::Reload { isolate }),
        1 => Just(Operation::NewIsolate),
    ]
}
