//! What is measured: which Worker, with tokens of which algorithm, met before or not.

use std::fmt;

use shared::Algorithm;

use super::tokens::ALGORITHMS;
use super::worker::Worker;

/// Enough for the JIT compilers to settle.
const WARM_UP_REQUESTS: usize = 1_000;

/// Whether the Worker has met the tokens before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tokens {
    Seen,
    Unseen,
}

/// One line of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) worker: Worker,
    /// Its place in `ALGORITHMS`.
    pub(super) algorithm: usize,
    pub(super) tokens: Tokens,
}

impl Case {
    pub(super) fn new(worker: Worker, algorithm: Algorithm, tokens: Tokens) -> Option<Self> {
        let algorithm = ALGORITHMS.iter().position(|known| *known == algorithm)?;
        Some(Self {
            worker,
            algorithm,
            tokens,
        })
    }

    pub(super) fn all(workers: impl Iterator<Item = Worker>) -> Vec<Self> {
        workers.flat_map(Self::of).collect()
    }

    fn of(worker: Worker) -> Vec<Self> {
        let (algorithms, kinds): (_, &[Tokens]) = match worker {
            // What does not look at the token is measured with one kind of it.
            Worker::AnswersItself
            | Worker::ChecksNothing
            | Worker::ChecksNothingInRust
            | Worker::PortcullisLoggingAll => (0..1, &[Tokens::Seen]),
            Worker::JoseAndKv | Worker::Hono => (0..ALGORITHMS.len(), &[Tokens::Seen]),
            Worker::Portcullis | Worker::Jose => {
                (0..ALGORITHMS.len(), &[Tokens::Seen, Tokens::Unseen])
            }
        };
        let case = |algorithm| {
            kinds.iter().map(move |&tokens| Self {
                worker,
                algorithm,
                tokens,
            })
        };
        algorithms.flat_map(case).collect()
    }

    pub(super) fn algorithm(self) -> Algorithm {
        ALGORITHMS[self.algorithm]
    }

    /// A token is "seen before" only after all of them were sent once.
    pub(super) fn warm_up_requests(self, live_tokens: usize) -> usize {
        match (self.worker, self.tokens) {
            (Worker::Portcullis | Worker::PortcullisLoggingAll, Tokens::Seen) => live_tokens,
            _ => WARM_UP_REQUESTS,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = match self.tokens {
            Tokens::Seen => "seen before",
            Tokens::Unseen => "never seen",
        };
        let (worker, algorithm) = (self.worker.id(), self.algorithm().name());
        write!(f, "{worker}, {algorithm}, {tokens}")
    }
}
