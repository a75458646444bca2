//! Codings of a revocation list, ours among them, that are asked alike: what `cargo xtask bench list`
//! measures. One source, natively in the benchmark's process and in workerd as a Worker.
//!
//! Knows no clock: whoever sends a [`Command`] takes the time until its [`Answer`].

mod bench;
pub mod coding;
mod holder;
pub mod names;
mod whole_list;
#[cfg(target_arch = "wasm32")]
mod worker;

pub use bench::{Answer, Bench, Command, Fault, Host};
