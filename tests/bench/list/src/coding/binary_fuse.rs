//! A binary fuse filter by the crate `xorf`: 16 bits of each name's hash, so one stranger in 65,536 is
//! taken for listed, and no cut-off can be kept beside a name. What could be had by giving up on
//! exactness.

use xorf::{BinaryFuse16, Descriptor, DmaSerializable, Filter};

use super::Coding;

#[derive(Debug)]
pub(crate) struct BinaryFuse(BinaryFuse16);

impl Coding for BinaryFuse {
    type Question = u64;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        let bytes = BinaryFuse16::try_from(names).map(|filter| {
            let mut bytes = vec![0; BinaryFuse16::DESCRIPTOR_LEN];
            filter.dma_copy_descriptor_to(&mut bytes);
            bytes.extend_from_slice(filter.dma_fingerprints());
            bytes
        });
        // What it refuses to encode opens as nothing, and is reported there.
        vec![bytes.unwrap_or_default()]
    }

    fn open(mut parts: Vec<Vec<u8>>) -> Option<Self> {
        let bytes = parts.pop()?;
        let (descriptor, fingerprints) = bytes.split_at_checked(BinaryFuse16::DESCRIPTOR_LEN)?;
        let (fingerprints, _) = fingerprints.as_chunks();
        Some(Self(BinaryFuse16 {
            descriptor: read_descriptor(descriptor)?,
            fingerprints: fingerprints
                .iter()
                .map(|bits| u16::from_le_bytes(*bits))
                .collect(),
        }))
    }

    fn question(name: u64) -> u64 {
        name
    }

    #[inline]
    fn contains(&self, question: &u64) -> bool {
        self.0.contains(question)
    }
}

/// As [`DmaSerializable::dma_copy_descriptor_to`] wrote it.
fn read_descriptor(bytes: &[u8]) -> Option<Descriptor> {
    let (seed, rest) = bytes.split_first_chunk()?;
    let ([segment_length, segment_length_mask, segment_count_length], []) = rest.as_chunks() else {
        return None;
    };
    Some(Descriptor {
        seed: u64::from_le_bytes(*seed),
        segment_length: u32::from_le_bytes(*segment_length),
        segment_length_mask: u32::from_le_bytes(*segment_length_mask),
        segment_count_length: u32::from_le_bytes(*segment_count_length),
    })
}
