//! The origin as a process beside servers of its own, which a test may set up and break as it likes.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod command_table;
mod crowd;
mod faults;
mod forgotten_begin;
mod log;
mod metrics;
mod portcullis;
mod sockets;
mod tls;
mod world;
