//! One coding of one list: its bytes as they came, what they were opened to, and the questions that
//! were laid ready. So each can be timed without the others.

use crate::coding::{
    BinaryFuse, Coding, EliasFano, GolombRice, Kind, LoopAlone, Sealed, Sorted, TextSet,
};
use crate::names;

/// What came of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Listed names that were not found.
    pub(crate) missed: u64,
    /// Strangers that were.
    pub(crate) false_hits: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Holder {
    parts: Vec<Vec<u8>>,
    /// As many as it is to be opened.
    copies: Vec<Vec<Vec<u8>>>,
    opened: Option<Box<dyn Opened>>,
}

impl Holder {
    pub(crate) fn push(&mut self, part: Vec<u8>) {
        self.parts.push(part);
    }

    /// Lays `count` copies ready to be opened, the bytes that came among them.
    pub(crate) fn copy(&mut self, count: usize) {
        self.opened = None;
        for _ in 1..count {
            self.copies.push(self.parts.clone());
        }
        self.copies.push(std::mem::take(&mut self.parts));
    }

    /// Opens every copy, and keeps the last; how many were good.
    pub(crate) fn open(&mut self, kind: Kind) -> u64 {
        let copies = std::mem::take(&mut self.copies);
        let (count, opened) = match kind {
            Kind::Sealed => open_all::<Sealed>(copies),
            Kind::Sorted => open_all::<Sorted>(copies),
            Kind::EliasFano => open_all::<EliasFano>(copies),
            Kind::GolombRice => open_all::<GolombRice>(copies),
            Kind::BinaryFuse => open_all::<BinaryFuse>(copies),
            Kind::TextSet => open_all::<TextSet>(copies),
            Kind::LoopAlone => open_all::<LoopAlone>(copies),
        };
        self.opened = opened;
        count
    }

    pub(crate) fn opened(&mut self) -> Option<&mut Box<dyn Opened>> {
        self.opened.as_mut()
    }
}

fn open_all<C: Coding>(copies: Vec<Vec<Vec<u8>>>) -> (u64, Option<Box<dyn Opened>>) {
    let (mut count, mut last) = (0, None);
    for parts in copies {
        if let Some(coding) = C::open(parts) {
            count += 1;
            last = Some(coding);
        }
    }
    let opened = last.map(|coding| {
        Box::new(Asked {
            coding,
            questions: Vec::new(),
        }) as Box<dyn Opened>
    });
    (count, opened)
}

/// A coding that is ready. One call of it answers very many questions, so what the call itself costs
/// does not count.
pub(crate) trait Opened: std::fmt::Debug {
    /// Asks for each of `entries`, and for so many strangers.
    fn check(&self, entries: u64, strangers: u64) -> Checked;
    /// Lays the questions for these names ready.
    fn prepare(&mut self, names: &mut dyn Iterator<Item = u64>);
    /// Asks them; how many were found.
    fn ask(&self) -> u64;
}

struct Asked<C: Coding> {
    coding: C,
    questions: Vec<C::Question>,
}

impl<C: Coding> std::fmt::Debug for Asked<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} questions", self.questions.len())
    }
}

impl<C: Coding> Opened for Asked<C> {
    fn check(&self, entries: u64, strangers: u64) -> Checked {
        let found = |name: &u64| self.coding.contains(&C::question(*name));
        Checked {
            missed: names::listed(entries).filter(|name| !found(name)).count() as u64,
            false_hits: names::strangers(strangers, 0).filter(found).count() as u64,
        }
    }

    fn prepare(&mut self, names: &mut dyn Iterator<Item = u64>) {
        self.questions.clear();
        self.questions.extend(names.map(C::question));
    }

    fn ask(&self) -> u64 {
        let found = self
            .questions
            .iter()
            .filter(|question| self.coding.contains(question));
        found.count() as u64
    }
}
