//! Thousands of random histories of the whole system in virtual time. A run prints its seed;
//! `PORTCULLIS_MODEL_SEED` repeats it, `PORTCULLIS_MODEL_HISTORIES` makes it longer. What fails is
//! shrunk to the fewest operations that still fail.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use model::operation::{Operation, history};
use model::world::{Broken, Reached, World};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

const HISTORIES: u32 = 1_000;
/// The rarest of what has to happen does so about ten times in that many, and by chance not once.
const MOST_RUNS: u64 = 5;
const MOST_OPERATIONS: usize = 60;

fn number_in(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().unwrap())
}

fn runner(seed: u64) -> TestRunner {
    let histories =
        number_in("PORTCULLIS_MODEL_HISTORIES").map(|count| u32::try_from(count).unwrap());
    let config = Config {
        cases: histories.unwrap_or(HISTORIES),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let seeds = [seed, 1, 2, 3].map(u64::to_le_bytes).concat();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seeds))
}

fn live(operations: &[Operation]) -> Result<Reached, Broken> {
    let mut world = World::default();
    for operation in operations {
        world.take(*operation)?;
    }
    world.settle()?;
    Ok(world.reached)
}

#[test]
fn no_history_breaks_the_promise() {
    let seed = number_in("PORTCULLIS_MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("PORTCULLIS_MODEL_SEED={seed}");
    let sum = Cell::new(Reached::default());
    for run in 0..MOST_RUNS {
        let seed = seed.wrapping_add(run);
        let outcome = runner(seed).run(&history(MOST_OPERATIONS), |operations| {
            let reached = live(&operations).map_err(TestCaseError::fail)?;
            sum.set(sum.get() + reached);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}\nrepeat with PORTCULLIS_MODEL_SEED={seed}");
        }
        if sum.get().is_everything() {
            break;
        }
    }
    println!("{:?}", sum.get());
    assert!(
        sum.get().is_everything(),
        "some of it never happened: {:?}",
        sum.get()
    );
}
