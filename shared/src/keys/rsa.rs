//! Which RSA keys are taken: long enough, odd where it must be, in their one spelling, and not of
//! the family that a broken smart-card library made (ROCA, CVE-2017-15361).

use crate::base64url;
use crate::error::KeyError;
use crate::json::JsonObject;
use crate::keys::KeyMaterial;

const MIN_MODULUS_BITS: usize = 2048;
/// What the engines at hand take; longer ones cost a request more than they are worth.
const MAX_MODULUS_BITS: usize = 8192;

/// The one exponent that is taken. WebCrypto in workerd imports 3 and 65537 only, so any other would
/// be good natively and a fault of the engine at the edge; 3 is too small.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The first odd primes: a ROCA modulus is a power of 65537 modulo every one of them, any other
/// modulus is with a chance of about 2⁻²⁷.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

pub(super) fn parse(members: &JsonObject<'_>) -> Result<KeyMaterial, KeyError> {
    let n = parse_number(members, "n").ok_or(KeyError::ModulusInvalid)?;
    let e = parse_number(members, "e").ok_or(KeyError::ExponentInvalid)?;
    check_modulus(&n)?;
    if e != EXPONENT {
        return Err(KeyError::ExponentInvalid);
    }
    Ok(KeyMaterial::Rsa { n, e })
}

/// A `Base64urlUInt` (RFC 7518, section 2): no leading zeros, hence one spelling, hence never zero.
fn parse_number(members: &JsonObject<'_>, name: &str) -> Option<Vec<u8>> {
    let bytes = base64url::decode(members.get(name)?.as_str()?)?;
    (bytes.first().is_some_and(|first| *first != 0)).then_some(bytes)
}

fn check_modulus(n: &[u8]) -> Result<(), KeyError> {
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyError::ModulusInvalid);
    }
    if bits < MIN_MODULUS_BITS {
        return Err(KeyError::ModulusTooShort);
    }
    if bits > MAX_MODULUS_BITS {
        return Err(KeyError::ModulusTooLong);
    }
    if has_roca_fingerprint(n) {
        Err(KeyError::ModulusWeak)
    } else {
        Ok(())
    }
}

fn has_roca_fingerprint(n: &[u8]) -> bool {
    ROCA_PRIMES
        .iter()
        .all(|prime| is_power_of_65537(remainder(n, *prime), *prime))
}

fn remainder(n: &[u8], prime: u32) -> u32 {
    n.iter()
        .fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime)
}

/// Whether `value` lies in the group that 65537 generates modulo `prime`.
fn is_power_of_65537(value: u32, prime: u32) -> bool {
    let generator = 65_537 % prime;
    let mut power = 1;
    loop {
        if power == value {
            return true;
        }
        power = power * generator % prime;
        if power == 1 {
            return false;
        }
    }
}
