//! Numbers of one width in bits, one after another without gaps, the lowest bits first: written
//! once, then each read by one load where it lies.

/// A read takes this many bytes from where its number begins, so as many follow the last one.
pub(super) const PADDING_BYTES: usize = 8;

/// The widest number that one load holds wherever in a byte it begins. Wider ones have to be whole
/// bytes wide.
pub(super) const MAX_WIDTH: u32 = 57;

/// How many bytes `count` numbers take; no overflow for any 32-bit count.
pub(super) fn encoded_len(count: u32, width: u32) -> u64 {
    (u64::from(count) * u64::from(width)).div_ceil(8)
}

/// Appends numbers, each below 2^`width`, and fills the last byte with zeros.
pub(super) fn append(bytes: &mut Vec<u8>, width: u32, numbers: impl Iterator<Item = u64>) {
    let (mut pending, mut bits) = (0_u128, 0);
    for number in numbers {
        pending |= u128::from(number) << bits;
        bits += width;
        while bits >= 8 {
            bytes.push(pending.to_le_bytes()[0]);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        bytes.push(pending.to_le_bytes()[0]);
    }
}

/// The number at `position` of those that begin at byte `begin`: a position in a segment's bytes,
/// whose bits a `usize` counts on every target.
#[inline]
pub(super) fn get(bytes: &[u8], begin: usize, width: u32, position: usize) -> u64 {
    let bit = position * width as usize;
    // Unwrap safety: the numbers lie within `bytes`, and the padding follows the last of them.
    let chunk = bytes[begin + bit / 8..].first_chunk().expect("padded");
    u64::from_le_bytes(*chunk) >> (bit % 8) & mask(width)
}

fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_back_at_every_width() {
        for width in (0..=MAX_WIDTH).chain([64]) {
            let number = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask(width);
            let mut bytes = vec![7];
            append(&mut bytes, width, (1..100).map(number));
            assert_eq!(bytes.len() as u64, 1 + encoded_len(99, width));
            bytes.extend([0xff; PADDING_BYTES]);
            for n in 1..100 {
                let position = usize::try_from(n).unwrap() - 1;
                assert_eq!(get(&bytes, 1, width, position), number(n), "{width}");
            }
        }
    }
}
