//! Publishing, step by step and as a whole, on SQLite and on Postgres with Redis. What was published
//! is always judged by an edge: the verifier and the list of the crate `shared`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step is a failed test"
)]

mod crashes;
mod delivery;
mod doctor;
mod edge;
#[cfg(feature = "fault-points")]
mod fault_points;
mod harness;
mod kv_double;
mod lists;
mod replicas;
mod requests;
mod segments;
mod token_keys;
mod verify;
