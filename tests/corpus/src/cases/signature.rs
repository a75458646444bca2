//! Signatures that are almost good, and forgeries that need no key where a check is missing.

use shared::KeyError::PointInvalid;
use shared::TokenError::{self, NoUsableKey, SignatureInvalid, SignatureLength, SignaturePoint};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, encode};
use crate::members::Members;
use crate::test_key::{
    ED25519, ES256, ES384, OTHER_ED25519, OTHER_ES256, OTHER_RS256, PS256, RS256, TestKey,
};

/// The order of P-256 (SEC 2, section 2.4.2), big-endian.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The order of P-384 (SEC 2, section 2.5.1), big-endian.
const P384_ORDER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
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

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        psychic(forge),
        negation(forge),
        edge_points(forge),
        wrong_key(forge),
    ])
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_default();
    (0..text.len()).step_by(2).map(digit).collect()
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

/// The good signature of the standard token, in two halves.
fn halves(forge: &mut Forge, key: TestKey) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let signature = forge.signature(&key, &Draft::of(key).input())?;
    let (r, s) = signature.split_at(signature.len() / 2);
    Ok((r.to_vec(), s.to_vec()))
}

fn push(
    sheet: &mut Sheet,
    key: TestKey,
    name: &str,
    reason: TokenError,
    signature: &[u8],
) -> anyhow::Result<()> {
    let token = format!("{}.{}", Draft::of(key).input(), encode(signature));
    let why = format!("a signature of {}: {name}", key.alg);
    sheet
        .refuse(&format!("{}-{name}", key.kid), reason, &why, token)
        .signed_by_one_of(&[key])?;
    Ok(())
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

/// What Ed25519 verifiers disagree on (eprint 2020/823), by one strict rule.
fn edge_points(forge: &mut Forge) -> Cases {
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

/// Good signatures of the right form by the wrong key, or over other bytes.
fn wrong_key(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("wrong-signature", ED25519)?;
    for (ours, theirs) in [
        (ED25519, OTHER_ED25519),
        (ES256, OTHER_ES256),
        (RS256, OTHER_RS256),
    ] {
        let token = forge.forge(&Draft::of(theirs).head("kid", ours.kid))?;
        let why = "another key of the same kind signed";
        sheet
            .refuse(&format!("other-{}", ours.kid), SignatureInvalid, why, token)
            .signed_by_one_of(&[ours])?;
    }
    for (key, other) in [(RS256, PS256), (PS256, RS256)] {
        let draft = Draft::of(key);
        let signature = forge.signature(&other, &draft.input())?;
        let name = format!("{}-signature-as-{}", other.alg, key.alg);
        let token = format!("{}.{}", draft.input(), encode(signature));
        sheet
            .refuse(
                &name,
                SignatureInvalid,
                "one RSA key, the other padding",
                token,
            )
            .signed_by_one_of(&[key])?;
    }
    for (name, why) in [
        ("pss_salt_0", "PSS without a salt"),
        ("pss_salt_20", "PSS with a salt of 20 bytes"),
        ("pss_salt_longest", "PSS with the longest salt that fits"),
        ("pss_mgf_sha1", "PSS whose mask is made with SHA-1"),
        ("pss_sha384", "PSS with SHA-384 under the name of PS256"),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .refuse(name, SignatureInvalid, why, given.token.clone())
            .keys(&[given.jwk()])?;
    }
    for (name, number) in [
        ("zero", vec![0; 256]),
        ("one", [&[0; 255][..], &[1]].concat()),
        ("n", RS256.number("n")?),
        ("all-ones", vec![0xff; 256]),
    ] {
        push(&mut sheet, RS256, name, SignatureInvalid, &number)?;
        push(&mut sheet, PS256, name, SignatureInvalid, &number)?;
    }
    let good = forge.signature(&RS256, &Draft::of(RS256).input())?;
    for (name, signature) in [
        ("a-byte-short", good[1..].to_vec()),
        ("leading-zero", [&[0][..], &good].concat()),
        ("twice", good.repeat(2)),
    ] {
        push(&mut sheet, RS256, name, SignatureLength, &signature)?;
    }
    let changed = Draft::good().claim("sub", "admin").input();
    let signature = encode(forge.signature(&ED25519, &Draft::good().input())?);
    sheet.refuse(
        "changed-claims",
        SignatureInvalid,
        "a good signature over other claims",
        format!("{changed}.{signature}"),
    );
    let bare = Members::new().with("alg", "EdDSA").with("kid", "ed").text();
    let changed = crate::forge::signing_input(bare, Draft::good().payload.text());
    sheet.refuse(
        "changed-header",
        SignatureInvalid,
        "a good signature under another header",
        format!("{changed}.{signature}"),
    );
    Ok(sheet.into_cases())
}
