//! End to end: the real origin, real stores and the built Worker in workerd. Needs what
//! `cargo xtask test e2e` builds first.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod at_once;
mod cookies;
mod engines;
mod hostile_requests;
mod key_rotation;
mod oauth_clients;
mod outages;
mod propagation;
mod readme;
mod staleness;
mod token_lifecycle;
mod web_sockets;
