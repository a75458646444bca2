//! What the end-to-end tests stand on: running stacks, users of them, and lists to forge.

mod forgery;
mod world;

pub use forgery::{ListForger, read_claims};
pub use world::{PATIENCE, User, World, start_private};
