//! The system on one machine: finds or starts Postgres, Redis, the origin and workerd on free
//! ports, and stops what it started. Knows how to run them, not what is inside them.

pub mod paths;
pub mod progress;
