//! The corpus against what it claims: that it is what its generator makes, that it leaves no row of
//! the attack table, no rule and no code without a case, and that its document of codes is true.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod coverage;
mod generated;
