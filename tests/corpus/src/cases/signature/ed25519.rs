//! Ed25519: the points and numbers that its verifiers disagree on, by one strict rule.

use shared::KeyError::PointInvalid;
use shared::TokenError::{NoUsableKey, SignatureInvalid, SignaturePoint};

use super::{halves, hex, push};
use crate::case::Sheet;
use crate::cases::Cases;
use crate::forge::{Draft, Forge, encode};
use crate::test_key::ED25519;

/// The order L of Ed25519 (RFC 8032, section 5.1), little-endian.
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/// The base point of Ed25519, encoded.
const ED25519_BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";

/// Every y of a point of small order, canonical and not (RFC 8032 calls the latter invalid).
const SMALL_ORDER: [(&str, &str); 7] = [
    (
        "identity",
        "0100000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "order-2",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "order-4",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "order-8",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    ),
    (
        "order-8-negative",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ),
    (
        "order-4-not-canonical",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    (
        "identity-not-canonical",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
];

/// What Ed25519 verifiers disagree on (eprint 2020/823), by one strict rule.
pub(super) fn cases(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("ed25519-edge-points", ED25519)?;
    let (good_r, good_s) = halves(forge, ED25519)?;
    for (name, point) in SMALL_ORDER {
        for sign_of_x in [0, 0x80] {
            let mut point = hex(point);
            point[31] |= sign_of_x;
            let name = format!("{name}-{}", if sign_of_x == 0 { "even" } else { "odd" });
            push(
                &mut sheet,
                ED25519,
                &format!("r-{name}"),
                SignaturePoint,
                &[&point[..], &good_s].concat(),
            )?;
            // With A = identity, R = B and S = 1 every message verifies.
            let forged = [hex(ED25519_BASE), [&[1][..], &[0; 31]].concat()].concat();
            let token = format!("{}.{}", Draft::good().input(), encode(forged));
            let key = ED25519.jwk()?.with("x", encode(&point));
            sheet
                .refuse(
                    &format!("a-{name}"),
                    NoUsableKey,
                    "a public key of small order: anyone signs for it",
                    token,
                )
                .keys(&[key])?
                .leaving_out(&[PointInvalid]);
        }
    }
    let beyond = [good_r.clone(), add(&good_s, &hex(ED25519_ORDER))].concat();
    push(&mut sheet, ED25519, "s-plus-l", SignatureInvalid, &beyond)?;
    let order = [good_r.clone(), hex(ED25519_ORDER)].concat();
    push(&mut sheet, ED25519, "s-is-l", SignatureInvalid, &order)?;
    push(
        &mut sheet,
        ED25519,
        "s-all-ones",
        SignatureInvalid,
        &[&good_r[..], &[0xff; 32]].concat(),
    )?;
    push(
        &mut sheet,
        ED25519,
        "s-zero",
        SignatureInvalid,
        &[&good_r[..], &[0; 32]].concat(),
    )?;
    let not_canonical = [hex(&"ff".repeat(31)), vec![0x7f]].concat();
    push(
        &mut sheet,
        ED25519,
        "r-above-p",
        SignaturePoint,
        &[&not_canonical[..], &good_s].concat(),
    )?;
    let no_point = [&[2][..], &[0; 31]].concat();
    push(
        &mut sheet,
        ED25519,
        "r-not-on-the-curve",
        SignatureInvalid,
        &[&no_point[..], &good_s].concat(),
    )?;
    for (name, x) in [
        ("a-not-on-the-curve", no_point),
        ("a-above-p", not_canonical),
    ] {
        let token = forge.good(ED25519)?;
        sheet
            .refuse(
                name,
                NoUsableKey,
                "a public key that is no point in its one encoding",
                token,
            )
            .keys(&[ED25519.jwk()?.with("x", encode(x))])?
            .leaving_out(&[PointInvalid]);
    }
    Ok(sheet.into_cases())
}

/// `a + b` of equally long little-endian numbers, whose sum fits.
fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            let sum = u16::from(*a) + u16::from(*b) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        })
        .collect()
}
