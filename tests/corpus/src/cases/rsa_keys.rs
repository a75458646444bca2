//! RSA keys that are weak, or that engines disagree on. Where a private key is needed that no
//! library makes, the token was given; each verifies under its key.

use shared::KeyError::{
    self, ExponentInvalid, ModulusInvalid, ModulusTooLong, ModulusTooShort, ModulusWeak,
};
use shared::TokenError::NoUsableKey;

use crate::case::Sheet;
use crate::cases::Cases;
use crate::forge::{Forge, encode};
use crate::test_key::RS256;

pub(super) fn cases(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("weak-rsa-key", RS256)?;
    given(&mut sheet, forge)?;
    numbers(&mut sheet, forge)?;
    Ok(sheet.into_cases())
}

fn given(sheet: &mut Sheet, forge: &Forge) -> anyhow::Result<()> {
    for (name, reason, why) in [
        ("rsa_1024", ModulusTooShort, "1024 bits"),
        ("rsa_2047", ModulusTooShort, "2047 bits"),
        (
            "exponent_1",
            ExponentInvalid,
            "e = 1: the signature is the message itself",
        ),
        ("exponent_3", ExponentInvalid, "e = 3"),
        ("exponent_17", ExponentInvalid, "e = 17"),
        (
            "exponent_65539",
            ExponentInvalid,
            "e = 65539: some engines import 3 and 65537 only",
        ),
        ("exponent_2_32_minus_1", ExponentInvalid, "e = 2^32 - 1"),
        ("exponent_2_32_plus_1", ExponentInvalid, "e = 2^32 + 1"),
        ("exponent_above_2_33", ExponentInvalid, "e above 2^33"),
        (
            "roca",
            ModulusWeak,
            "primes of the form that a broken smart-card library made (CVE-2017-15361)",
        ),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .refuse(name, NoUsableKey, why, given.token.clone())
            .keys(&[given.jwk()])?
            .leaving_out(&[reason]);
    }
    for (name, why) in [
        ("rsa_2049", "2049 bits: a signature of 257 bytes"),
        (
            "pss_2049",
            "PS256 under 2049 bits: the padded message is a byte shorter",
        ),
        ("rsa_2056", "2056 bits"),
        ("rsa_3072", "3072 bits"),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .accept(name, why, given.token.clone())
            .keys(&[given.jwk()])?;
    }
    Ok(())
}

/// The good key's numbers in other spellings, and numbers that are no key.
fn numbers(sheet: &mut Sheet, forge: &mut Forge) -> anyhow::Result<()> {
    let n = RS256.number("n")?;
    let even = [&n[..n.len() - 1], &[n[n.len() - 1] & 0xfe]].concat();
    let long = [&n.repeat(4)[..], &[1]].concat();
    let cases: [(&str, &str, String, KeyError); 15] = [
        (
            "leading-zero",
            "n",
            encode([&[0][..], &n].concat()),
            ModulusInvalid,
        ),
        ("even", "n", encode(even), ModulusInvalid),
        ("zero", "n", encode([0; 256]), ModulusInvalid),
        ("empty", "n", String::new(), ModulusInvalid),
        ("padded", "n", encode(&n) + "==", ModulusInvalid),
        ("hexadecimal", "n", "0xc5".to_owned(), ModulusTooShort),
        ("one-byte", "n", encode([1]), ModulusTooShort),
        ("8200-bits", "n", encode(long), ModulusTooLong),
        ("leading-zero", "e", encode([0, 1, 0, 1]), ExponentInvalid),
        ("even", "e", encode([1, 0, 0]), ExponentInvalid),
        ("zero", "e", encode([0]), ExponentInvalid),
        ("empty", "e", String::new(), ExponentInvalid),
        ("padded", "e", "AQAB==".to_owned(), ExponentInvalid),
        (
            "of-9-bytes",
            "e",
            encode([1, 0, 0, 0, 0, 0, 0, 0, 1]),
            ExponentInvalid,
        ),
        ("65535", "e", encode([0xff, 0xff]), ExponentInvalid),
    ];
    for (name, member, text, reason) in cases {
        let token = forge.good(RS256)?;
        sheet
            .refuse(
                &format!("{member}-{name}"),
                NoUsableKey,
                "a number that is not taken",
                token,
            )
            .keys(&[RS256.jwk()?.with(member, text)])?
            .leaving_out(&[reason]);
    }
    for (member, reason) in [("n", ModulusInvalid), ("e", ExponentInvalid)] {
        let token = forge.good(RS256)?;
        sheet
            .refuse(
                &format!("no-{member}"),
                NoUsableKey,
                "a number that the key needs is missing",
                token.clone(),
            )
            .keys(&[RS256.jwk()?.without(member)])?
            .leaving_out(&[reason]);
        sheet
            .refuse(
                &format!("{member}-is-a-number"),
                NoUsableKey,
                "a number that is not in base64url",
                token,
            )
            .keys(&[RS256.jwk()?.with(member, 65537)])?
            .leaving_out(&[reason]);
    }
    let token = forge.good(RS256)?;
    sheet.accept("2048-bits", "a good key", token);
    Ok(())
}
