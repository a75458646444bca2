//! What the benchmark asks for, one thing at a time, and its answers: the same natively and over HTTP,
//! so that both measure the same work.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{Digester, KeySet, ListError, ListPins, SegmentRef, SignatureVerifier, UnixSeconds};

use crate::coding::Kind;
use crate::holder::{Checked, Holder};
use crate::names;
use crate::whole_list::WholeList;

/// One thing to do. What does not end in an answer at once is not to be timed together with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Nothing: what it takes to say so.
    Rest,
    /// Forgets everything.
    Clear,
    /// Takes the body as a part of a coded list.
    Hold,
    /// Lays copies of the parts ready.
    Copy { count: usize },
    /// Opens every copy.
    Open { kind: Kind },
    /// Asks for every entry and for strangers.
    Check { entries: u64, strangers: u64 },
    /// Lays questions for listed names ready.
    PrepareDrawn {
        entries: u64,
        count: u64,
        round: u64,
    },
    /// Lays questions for names that are not listed ready.
    PrepareStrangers { count: u64, round: u64 },
    /// Asks them.
    Ask,
    /// Takes the body as a segment of the next list.
    HoldSegment { reference: SegmentRef },
    /// Takes the body as the message of the next list.
    HoldMessage,
    /// Says whose lists are taken, by which keys, and what time it is.
    Pin {
        issuer: String,
        keys: Value,
        now: UnixSeconds,
    },
    /// Takes the next list; with its signature and its hashes by the host, or the hashes by the code
    /// in `shared` and no look at the signature.
    Apply { verify: bool },
    /// Asks the whole list.
    AskList,
    /// How much memory there is by now.
    Memory,
}

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Done,
    /// Copies opened, names found, entries of a list, bytes of memory.
    Count(u64),
    Checked {
        missed: u64,
        false_hits: u64,
    },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("nothing was there to do it with")]
    Nothing,
    #[error("the keys are no key set")]
    Keys,
    #[error(transparent)]
    List(#[from] ListError),
}

/// What differs between where this runs.
pub trait Host {
    fn verifier(&self) -> &impl SignatureVerifier;
    fn digester(&self) -> &impl Digester;
    /// Bytes of memory that this process, or this instance, has taken so far.
    fn memory_bytes(&self) -> u64;
}

/// What is being measured.
#[derive(Debug, Default)]
pub struct Bench {
    holder: Holder,
    list: WholeList,
    pins: Option<(ListPins, UnixSeconds)>,
}

impl Bench {
    /// Does what `command` says, with `body` where it takes one.
    pub async fn run(
        &mut self,
        command: Command,
        body: Vec<u8>,
        host: &impl Host,
    ) -> Result<Answer, Fault> {
        match command {
            Command::Rest => {}
            Command::Clear => *self = Self::default(),
            Command::Hold => self.holder.push(body),
            Command::Copy { count } => self.holder.copy(count),
            Command::Open { kind } => return Ok(Answer::Count(self.holder.open(kind))),
            Command::Check { entries, strangers } => {
                let opened = self.holder.opened().ok_or(Fault::Nothing)?;
                let Checked { missed, false_hits } = opened.check(entries, strangers);
                return Ok(Answer::Checked { missed, false_hits });
            }
            Command::PrepareDrawn {
                entries,
                count,
                round,
            } => self.prepare(&mut names::drawn(entries, count, round)),
            Command::PrepareStrangers { count, round } => {
                self.prepare(&mut names::strangers(count, round));
            }
            Command::Ask => {
                let opened = self.holder.opened().ok_or(Fault::Nothing)?;
                return Ok(Answer::Count(opened.ask()));
            }
            Command::HoldSegment { reference } => self.list.push_segment(reference, body),
            Command::HoldMessage => self.list.push_message(body),
            Command::Pin { issuer, keys, now } => {
                let keys = KeySet::from_value(&keys).map_err(|_| Fault::Keys)?;
                self.pins = Some((ListPins { issuer, keys }, now));
            }
            Command::Apply { verify } => {
                let (pins, now) = self.pins.as_ref().ok_or(Fault::Nothing)?;
                let entries = self.list.apply(pins, *now, host, verify).await?;
                return Ok(Answer::Count(entries));
            }
            Command::AskList => return self.list.ask().map(Answer::Count),
            Command::Memory => return Ok(Answer::Count(host.memory_bytes())),
        }
        Ok(Answer::Done)
    }

    fn prepare(&mut self, names: &mut dyn Iterator<Item = u64>) {
        match self.holder.opened() {
            Some(opened) => opened.prepare(names),
            None => self.list.prepare(names),
        }
    }
}
