//! From the outbox to the edges: heads, segments and the two lanes.

pub mod pull_lane;
