//! The system on one machine: finds or starts Postgres, Redis, the origin and workerd on free
//! ports, and stops what it started. Knows how to run them, not what is inside them.

mod apt;
mod certificate;
mod client;
mod credentials;
mod edge;
mod kv;
mod origin;
pub mod paths;
mod plan;
mod poll;
pub mod port;
mod postgres;
mod postgres_programs;
mod process;
pub mod progress;
mod python;
mod reaper;
mod redis;
mod secret;
mod standstill;
mod stores;
mod system;
mod upstream;
mod wrangler_config;

pub use certificate::Certificate;
pub use client::{Answer, Client, Tokens};
pub use credentials::Credentials;
pub use edge::Edge;
pub use kv::Kv;
pub use origin::{Origin, OriginSettings};
pub use plan::Plan;
pub use poll::until;
pub use postgres::{Durability, Postgres};
pub use process::Process;
pub use python::install_python_packages;
pub use redis::Redis;
pub use secret::generate as generate_secret;
pub use standstill::Standstill;
pub use stores::Stores;
pub use system::System;
pub use upstream::{Echo, SEEN_PATH, start_echo};
pub use wrangler_config::EdgeSettings;
