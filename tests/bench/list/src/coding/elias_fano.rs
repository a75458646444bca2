//! Elias–Fano by the crate `sucds`, in its own stored form, whose arrays it reads where they lie. Its
//! index is built again and compared when it is opened, as is right for bytes from elsewhere.

use bytes::Bytes;
use sucds::Serializable;
use sucds::mii_sequences::{EliasFano as Sequence, EliasFanoBuilder};

use super::{Coding, NAME_BITS};

#[derive(Debug)]
pub(crate) struct EliasFano(Sequence);

fn shorten(name: u64) -> u64 {
    name >> (u64::BITS - NAME_BITS)
}

impl Coding for EliasFano {
    type Question = u64;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        let build = || {
            let mut builder = EliasFanoBuilder::new(1 << NAME_BITS, names.len())?;
            builder.extend(names.iter().map(|name| shorten(*name)))?;
            let mut bytes = Vec::new();
            let sequence = builder.build().enable_rank();
            sequence.serialize_into(&mut bytes)?;
            sucds::Result::Ok(bytes)
        };
        // What it refuses to encode opens as nothing, and is reported there.
        vec![build().unwrap_or_default()]
    }

    fn open(mut parts: Vec<Vec<u8>>) -> Option<Self> {
        let mut bytes = Bytes::from(parts.pop()?);
        Sequence::deserialize_from_bytes(&mut bytes).ok().map(Self)
    }

    fn question(name: u64) -> u64 {
        shorten(name)
    }

    #[inline]
    fn contains(&self, question: &u64) -> bool {
        self.0.predecessor(*question) == Some(*question)
    }
}
