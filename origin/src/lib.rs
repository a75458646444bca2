//! The server that issues tokens, takes revocations and publishes the list; and the operator's
//! command line. It does not know the edge: what they share is in the crate `shared`.

pub mod app;
pub mod clock;
pub mod commands;
pub mod config;
pub mod error;
pub mod keys;
mod private_file;
pub mod publisher;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod telemetry;
