//! Segments that an origin sealed before format 2: read, never written.
//!
//! Magic `PRS1`; `u32` prefix bits `b`; `u64` number of names revoked for good, `u64` number with a
//! cut-off; `2^b + 1` of `u32` that index the names; the names, `u64`; the cut-offs, `u64` name and
//! `u64` seconds. All numbers little-endian.

use super::{encode, name_of};
use crate::revocation::entry::Fingerprint;

const HEADER_BYTES: usize = 24;
const NAME_BYTES: usize = 8;
const CUT_OFF_BYTES: usize = 16;
const INDEX_BYTES: usize = 4;
const MAX_PREFIX_BITS: u32 = 24;

/// The same entries in the present format; `None` where these bytes are no segment. No entry is
/// dropped where two names have become one, so that their number stays what the head says.
pub(super) fn encode_anew(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let prefix_bits = u32::from_le_bytes(*header[4..].first_chunk()?);
    let names = usize::try_from(number_at(&header[8..])?).ok()?;
    let cut_offs = usize::try_from(number_at(&header[16..])?).ok()?;
    if prefix_bits > MAX_PREFIX_BITS {
        return None;
    }
    let index_bytes = ((1 << prefix_bits) + 1) * INDEX_BYTES;
    let (_, body) = body.split_at_checked(index_bytes)?;
    let (names, cut_off_bytes) = body.split_at_checked(names.checked_mul(NAME_BYTES)?)?;
    if cut_offs.checked_mul(CUT_OFF_BYTES)? != cut_off_bytes.len() {
        return None;
    }
    let mut names: Vec<u64> = names.chunks(NAME_BYTES).filter_map(name_at).collect();
    let mut cut_offs: Vec<(u64, u64)> = cut_off_bytes
        .chunks(CUT_OFF_BYTES)
        .filter_map(|chunk| Some((name_at(chunk)?, number_at(&chunk[NAME_BYTES..])?)))
        .collect();
    names.sort_unstable();
    cut_offs.sort_unstable();
    Some(encode(&names, &cut_offs))
}

fn name_at(bytes: &[u8]) -> Option<u64> {
    Some(name_of(Fingerprint(number_at(bytes)?)))
}

fn number_at(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
