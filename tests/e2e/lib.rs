//! What the end-to-end tests stand on: running stacks, users of them, clients in other languages, and
//! lists to forge.

mod clients;
mod forgery;
mod world;

pub use clients::run_client;
pub use forgery::{ListForger, read_claims};
pub use world::{PATIENCE, User, World, start_private};
