//! The pure modules of the edge, run natively: tables of what is decided, read, kept and answered.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod config;
mod credentials;
mod decision;
mod freshness;
mod identity;
mod introspection;
mod lanes;
mod layering;
mod list_cache;
mod responses;
mod routes;
mod support;
mod verified_cache;
