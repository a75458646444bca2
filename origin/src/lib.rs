//! The server that issues tokens, takes revocations and publishes the list; and the operator's
//! command line. It does not know the edge: what they share is in the crate `shared`.

pub mod accounts;
pub mod address;
pub mod app;
pub mod audit_query;
mod backoff;
pub mod cache;
pub mod canary;
pub mod client_tokens;
pub mod clients;
pub mod clock;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod error;
pub mod extract;
pub mod fault;
pub mod grant_type;
pub mod iso_time;
pub mod issuer;
pub mod keys;
#[cfg(test)]
mod layering;
pub mod limits;
pub mod mail;
pub mod mailed_token;
mod measures;
mod open_files;
pub mod passwords;
mod private_file;
pub mod publisher;
pub mod random;
pub mod rate_window;
pub mod redis_server;
pub mod retention;
pub mod revocation;
pub mod router;
mod routes;
pub mod server;
pub mod sessions;
pub mod shutdown;
pub mod store;
pub mod telemetry;
