//! The promise, tried on random histories in virtual time. Real: all of `shared`, the edge's pure
//! modules (list cache, intake, lanes, verified tokens, decision), the origin's planning of lists and
//! merges, its pull lane's messages and its signatures. Models, and named so where they stand: the
//! database ([`origin::Origin`]), KV ([`kv::Kv`]), and the awaiting between an edge's pure modules
//! ([`isolate::Isolate`]). The clocks of replicas differ by up to the leeway; those of edges are right.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

pub mod isolate;
pub mod kv;
pub mod operation;
pub mod origin;
pub mod token_keys;
pub mod truth;
pub mod world;
