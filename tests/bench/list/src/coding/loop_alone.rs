//! No coding: what asking costs that asks nobody, to be seen beside the others.

use std::hint::black_box;

use super::Coding;

#[derive(Debug)]
pub(crate) struct LoopAlone;

impl Coding for LoopAlone {
    type Question = u64;

    fn encode(_: &[u64]) -> Vec<Vec<u8>> {
        vec![Vec::new()]
    }

    fn open(_: Vec<Vec<u8>>) -> Option<Self> {
        Some(Self)
    }

    fn question(name: u64) -> u64 {
        name
    }

    fn contains(&self, question: &u64) -> bool {
        black_box(*question) == 0
    }
}
