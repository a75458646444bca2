//! Keys that may not be used: each is left out of its set, by itself and with its reason.

use shared::KeyError::{
    self, AlgorithmRefused, CoordinateInvalid, CurveRefused, KeyIdInvalid, NotAnObject,
    OperationsForbid, PointInvalid, Private, Symmetric, TypeMissing, TypeRefused, UseForbids,
};
use shared::TokenError::NoUsableKey;

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Forge, encode};
use crate::test_key::{ED25519, ES256, ES384, PS256, RS256, TestKey};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        key_use(forge),
        key_secrets(forge),
        key_form(forge),
        key_points(forge),
        key_algorithm(forge),
    ])
}

/// A good token of `key`, and the set of that key with one member changed to JSON text.
fn refuse_changed(
    sheet: &mut Sheet,
    forge: &mut Forge,
    key: TestKey,
    change: (&str, &str),
    reason: KeyError,
) -> anyhow::Result<()> {
    let (member, text) = change;
    let changed = key.jwk()?.with_raw(member, text);
    let name = format!("{}-{member}-{text}", key.kid);
    let token = forge.good(key)?;
    sheet
        .refuse(
            &name,
            NoUsableKey,
            "a good token, and a key that may not be used",
            token,
        )
        .keys(&[changed])?
        .leaving_out(&[reason]);
    Ok(())
}

fn key_use(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-use", ED25519)?;
    for (member, text, reason) in [
        ("use", "\"enc\"", UseForbids),
        ("use", "\"Sig\"", UseForbids),
        ("use", "\"\"", UseForbids),
        ("use", "null", UseForbids),
        ("use", "[\"sig\"]", UseForbids),
        ("key_ops", "[\"sign\"]", OperationsForbid),
        ("key_ops", "[\"encrypt\",\"wrapKey\"]", OperationsForbid),
        ("key_ops", "[]", OperationsForbid),
        ("key_ops", "\"verify\"", OperationsForbid),
        ("key_ops", "[\"verify\",1]", OperationsForbid),
        ("key_ops", "null", OperationsForbid),
    ] {
        refuse_changed(&mut sheet, forge, ED25519, (member, text), reason)?;
        refuse_changed(&mut sheet, forge, RS256, (member, text), reason)?;
    }
    for (member, text) in [
        ("use", "\"sig\""),
        ("key_ops", "[\"verify\"]"),
        ("key_ops", "[\"sign\",\"verify\"]"),
    ] {
        let token = forge.good(ED25519)?;
        let key = ED25519.jwk()?.with_raw(member, text);
        sheet
            .accept(
                &format!("{member}-{text}"),
                "verifying is what the key is for",
                token,
            )
            .keys(&[key])?;
    }
    Ok(sheet.into_cases())
}

/// Who publishes a secret has lost it: no such key is used, not even for verifying.
fn key_secrets(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-secrets", ED25519)?;
    for (key, member) in [
        (ED25519, "d"),
        (ES256, "d"),
        (RS256, "d"),
        (RS256, "p"),
        (RS256, "q"),
        (RS256, "dp"),
        (RS256, "dq"),
        (RS256, "qi"),
        (RS256, "oth"),
    ] {
        refuse_changed(&mut sheet, forge, key, (member, "\"AAAA\""), Private)?;
    }
    refuse_changed(&mut sheet, forge, ED25519, ("d", "null"), Private)?;
    for key in [ED25519, RS256] {
        refuse_changed(&mut sheet, forge, key, ("k", "\"AAAA\""), Symmetric)?;
    }
    refuse_changed(&mut sheet, forge, ED25519, ("kty", "\"oct\""), Symmetric)?;
    Ok(sheet.into_cases())
}

fn key_form(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-form", ED25519)?;
    for (member, text, reason) in [
        ("kty", "\"okp\"", TypeRefused),
        ("kty", "\"EC\"", CurveRefused),
        ("kty", "\"AKP\"", TypeRefused),
        ("kty", "null", TypeRefused),
        ("kty", "1", TypeRefused),
        ("crv", "\"Ed448\"", CurveRefused),
        ("crv", "\"X25519\"", CurveRefused),
        ("crv", "\"ed25519\"", CurveRefused),
        ("crv", "null", CurveRefused),
        ("kid", "7", KeyIdInvalid),
        ("kid", "\"\"", KeyIdInvalid),
        ("kid", "null", KeyIdInvalid),
        ("x", "\"\"", CoordinateInvalid),
        ("x", "\"AAAA\"", CoordinateInvalid),
        ("x", "null", CoordinateInvalid),
        ("x", "\"*\"", CoordinateInvalid),
    ] {
        refuse_changed(&mut sheet, forge, ED25519, (member, text), reason)?;
    }
    let long = format!("\"{}\"", "k".repeat(256));
    refuse_changed(&mut sheet, forge, ED25519, ("kid", &long), KeyIdInvalid)?;
    for (crv, reason) in [
        ("P-384", CoordinateInvalid),
        ("P-521", CurveRefused),
        ("secp256k1", CurveRefused),
        ("p-256", CurveRefused),
    ] {
        refuse_changed(
            &mut sheet,
            forge,
            ES256,
            ("crv", &format!("\"{crv}\"")),
            reason,
        )?;
    }
    for (member, reason) in [
        ("kty", TypeMissing),
        ("crv", CurveRefused),
        ("x", CoordinateInvalid),
        ("y", CoordinateInvalid),
    ] {
        let token = forge.good(ES256)?;
        sheet
            .refuse(
                &format!("no-{member}"),
                NoUsableKey,
                "a member that the key needs is missing",
                token,
            )
            .keys(&[ES256.jwk()?.without(member)])?
            .leaving_out(&[reason]);
    }
    for (name, text) in [
        ("string", "\"key\""),
        ("null", "null"),
        ("array", "[]"),
        ("number", "1"),
    ] {
        let token = forge.good(ED25519)?;
        sheet
            .refuse(
                &format!("key-is-{name}"),
                NoUsableKey,
                "a key is an object",
                token,
            )
            .key_document(format!("{{\"keys\":[{text}]}}"))?
            .leaving_out(&[NotAnObject]);
    }
    Ok(sheet.into_cases())
}

/// Points off their curve, and coordinates in other spellings (RFC 7518, section 6.2.1.2).
fn key_points(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-points", ES256)?;
    for key in [ES256, ES384] {
        let (x, y) = (key.number("x")?, key.number("y")?);
        let mut neighbour = y.clone();
        neighbour[y.len() - 1] ^= 1;
        let zero = vec![0; x.len()];
        let most = vec![0xff; x.len()];
        for (name, new_x, new_y, reason) in [
            ("off-the-curve", &x, &neighbour, PointInvalid),
            ("swapped", &y, &x, PointInvalid),
            ("origin", &zero, &zero, PointInvalid),
            ("above-p", &most, &most, PointInvalid),
            (
                "leading-zero",
                &[&[0][..], &x].concat(),
                &y,
                CoordinateInvalid,
            ),
            ("short", &x[1..].to_vec(), &y, CoordinateInvalid),
        ] {
            let jwk = key.jwk()?.with("x", encode(new_x)).with("y", encode(new_y));
            let token = forge.good(key)?;
            sheet
                .refuse(
                    &format!("{}-{name}", key.kid),
                    NoUsableKey,
                    "not the coordinates of a point",
                    token,
                )
                .keys(&[jwk])?
                .leaving_out(&[reason]);
        }
        let padded = format!("\"{}=\"", encode(&x));
        refuse_changed(&mut sheet, forge, key, ("x", &padded), CoordinateInvalid)?;
    }
    Ok(sheet.into_cases())
}

/// A key's `alg` must be one of its kind.
fn key_algorithm(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-algorithm", ED25519)?;
    for (key, alg) in [
        (ED25519, "\"ES256\""),
        (ED25519, "\"none\""),
        (ED25519, "\"HS256\""),
        (ED25519, "\"\""),
        (ED25519, "null"),
        (ED25519, "[\"EdDSA\"]"),
        (ES256, "\"ES384\""),
        (ES256, "\"ECDH-ES\""),
        (ES384, "\"ES256\""),
        (RS256, "\"RSA-OAEP\""),
        (RS256, "\"EdDSA\""),
        (PS256, "\"RS1\""),
    ] {
        refuse_changed(&mut sheet, forge, key, ("alg", alg), AlgorithmRefused)?;
    }
    Ok(sheet.into_cases())
}
