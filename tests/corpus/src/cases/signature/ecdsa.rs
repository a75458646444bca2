//! ECDSA: two numbers of a fixed length, each in its range, and one signature more than signed.

use shared::TokenError::{SignatureInvalid, SignatureLength};

use super::{halves, hex, push};
use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, encode};
use crate::test_key::{ES256, ES384};

/// The order of P-256 (SEC 2, section 2.4.2), big-endian.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The order of P-384 (SEC 2, section 2.5.1), big-endian.
const P384_ORDER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([psychic(forge), negation(forge)])
}

/// ECDSA signatures of special numbers (CVE-2022-21449) and of other forms.
fn psychic(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("psychic-signature", ES256)?;
    for (key, order) in [(ES256, hex(P256_ORDER)), (ES384, hex(P384_ORDER))] {
        let (good_r, good_s) = halves(forge, key)?;
        let size = order.len();
        let zero = vec![0; size];
        let one = [&vec![0; size - 1][..], &[1]].concat();
        let most = vec![0xff; size];
        for (name, r, s) in [
            ("both-zero", &zero, &zero),
            ("r-zero", &zero, &good_s),
            ("s-zero", &good_r, &zero),
            ("both-one", &one, &one),
            ("r-is-n", &order, &good_s),
            ("s-is-n", &good_r, &order),
            ("both-n", &order, &order),
            ("r-all-ones", &most, &good_s),
            ("s-all-ones", &good_r, &most),
            ("swapped", &good_s, &good_r),
        ] {
            push(
                &mut sheet,
                key,
                name,
                SignatureInvalid,
                &[&r[..], s].concat(),
            )?;
        }
        let good = [&good_r[..], &good_s].concat();
        for (name, signature) in [
            ("der", der(&good_r, &good_s)),
            ("a-byte-short", good[..2 * size - 1].to_vec()),
            ("a-byte-long", [&good[..], &[0]].concat()),
            ("leading-zeros", [&[0][..], &good_r, &[0], &good_s].concat()),
            ("half", good_r.clone()),
            ("twice", good.repeat(2)),
        ] {
            push(&mut sheet, key, name, SignatureLength, &signature)?;
        }
    }
    Ok(sheet.into_cases())
}

/// The ASN.1 form (RFC 3279, section 2.2.3) of an ECDSA signature.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let significant: Vec<_> = number
            .iter()
            .copied()
            .skip_while(|byte| *byte == 0)
            .collect();
        let sign = significant
            .first()
            .is_some_and(|first| *first >= 0x80)
            .then_some(0);
        let body: Vec<_> = sign.into_iter().chain(significant).collect();
        [&[2, length(&body)], &body[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, length(&body)], &body[..]].concat()
}

/// At most 104 bytes stand here, so one length byte does.
fn length(body: &[u8]) -> u8 {
    u8::try_from(body.len()).unwrap_or_default()
}

/// (r, n − s) verifies as (r, s) does: two texts of one token, hence never a name for it.
fn negation(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("ecdsa-negation", ES256)?;
    for (key, order) in [(ES256, hex(P256_ORDER)), (ES384, hex(P384_ORDER))] {
        let (r, s) = halves(forge, key)?;
        let negated = [r, subtract(&order, &s)].concat();
        let token = format!("{}.{}", Draft::of(key).input(), encode(negated));
        sheet
            .accept(
                key.kid,
                "the other signature that verifies; `jti` and `sid` still name the token",
                token,
            )
            .signed_by_one_of(&[key])?;
    }
    Ok(sheet.into_cases())
}

/// `a − b` of equally long big-endian numbers.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut digits: Vec<_> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let (first, under) = a.overflowing_sub(*b);
            let (digit, under_again) = first.overflowing_sub(u8::from(borrow));
            borrow = under || under_again;
            digit
        })
        .collect();
    digits.reverse();
    digits
}
