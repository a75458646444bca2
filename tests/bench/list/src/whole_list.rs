//! The whole list as an edge holds it: segments, a tail and a signed head, and newer lists that take
//! its place one after another.

use std::collections::VecDeque;

use shared::{
    CheckedSegment, Fingerprint, ListMessage, ListPins, RevocationList, SegmentRef,
    SignatureVerifier, UnixSeconds,
};

use crate::bench::{Fault, Host};

/// What travels for one list: the message as it is sent, and the segments that it names anew.
#[derive(Debug, Default)]
struct Delivery {
    message: Vec<u8>,
    segments: Vec<(SegmentRef, Vec<u8>)>,
}

#[derive(Debug, Default)]
pub(crate) struct WholeList {
    arriving: Vec<(SegmentRef, Vec<u8>)>,
    deliveries: VecDeque<Delivery>,
    current: Option<RevocationList>,
    questions: Vec<Fingerprint>,
}

impl WholeList {
    pub(crate) fn push_segment(&mut self, reference: SegmentRef, bytes: Vec<u8>) {
        self.arriving.push((reference, bytes));
    }

    /// The segments that were pushed since the last one belong to this message.
    pub(crate) fn push_message(&mut self, message: Vec<u8>) {
        let segments = std::mem::take(&mut self.arriving);
        self.deliveries.push_back(Delivery { message, segments });
    }

    /// Takes the next list, as an edge does from the bytes of an answer on: reads, verifies, checks
    /// what is new and builds. How many entries it then has.
    pub(crate) async fn apply(
        &mut self,
        pins: &ListPins,
        now: UnixSeconds,
        host: &impl Host,
        verify: bool,
    ) -> Result<u64, Fault> {
        let Delivery { message, segments } = self.deliveries.pop_front().ok_or(Fault::Nothing)?;
        let message = ListMessage::parse(&message)?;
        let verified = if verify {
            RevocationList::verify(&message, pins, host.verifier(), now).await?
        } else {
            RevocationList::verify(&message, pins, &TakesAnySignature, now).await?
        };
        let mut fetched = Vec::new();
        for (reference, bytes) in segments {
            let checked = if verify {
                CheckedSegment::check_with(&reference, bytes, host.digester()).await?
            } else {
                CheckedSegment::check(&reference, bytes)?
            };
            fetched.push(checked);
        }
        let list = verified.build_from_checked(self.current.as_ref(), &fetched)?;
        let entries = list.entry_count();
        self.current = Some(list);
        Ok(entries)
    }

    pub(crate) fn prepare(&mut self, names: &mut dyn Iterator<Item = u64>) {
        self.questions = names.map(Fingerprint).collect();
    }

    /// Asks the whole list what was prepared; how many names it has.
    pub(crate) fn ask(&self) -> Result<u64, Fault> {
        let list = self.current.as_ref().ok_or(Fault::Nothing)?;
        let found = self
            .questions
            .iter()
            .filter(|name| list.find(**name).is_some());
        Ok(found.count() as u64)
    }
}

/// To see what a list costs beside its signature.
#[derive(Debug)]
struct TakesAnySignature;

impl SignatureVerifier for TakesAnySignature {
    async fn verify(&self, _: &shared::SignatureCheck<'_>) -> Result<(), shared::SignatureError> {
        Ok(())
    }
}
