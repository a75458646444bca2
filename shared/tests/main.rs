//! The crate from outside, natively: the corpora, attacks on the list, and properties that hold for
//! any bytes.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read their cases from files; the crate itself reads nothing"
)]

mod attacks;
mod hostile;
mod list;
mod list_model;
mod peer;
mod properties;
mod publisher;
mod vectors;
mod verdicts;
