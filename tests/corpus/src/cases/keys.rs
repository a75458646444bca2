//! Key sets: a key that cannot be trusted is left out by itself, and the rest works.

use shared::KeyError::{
    self, AlgorithmRefused, CoordinateInvalid, CurveRefused, KeyIdInvalid, NotAnObject,
    OperationsForbid, PointInvalid, Private, Symmetric, TypeMissing, TypeRefused, UseForbids,
};
use shared::KeySetError::{Malformed, TooManyKeys};
use shared::TokenError::NoUsableKey;

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Forge, encode};
use crate::members::Members;
use crate::test_key::{ED25519, ES256, ES384, PS256, RS256, TestKey};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        key_use(forge),
        key_secrets(forge),
        key_form(forge),
        key_points(forge),
        key_algorithm(forge),
        legal_keys(forge),
        the_rest_works(forge),
        key_set_form(forge),
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

fn legal_keys(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("legal-keys", ED25519)?;
    for (name, member, text) in [
        ("unknown-member", "x-anything", "{\"a\":[1]}"),
        ("certificate", "x5c", "[\"MIIB\"]"),
        ("extractable", "ext", "true"),
        ("issued-at", "iat", "1700000000"),
    ] {
        let token = forge.good(ED25519)?;
        let key = ED25519.jwk()?.with_raw(member, text);
        sheet
            .accept(
                name,
                "a member of a key that is none of our business",
                token,
            )
            .keys(&[key])?;
    }
    let token = forge.good(ED25519)?;
    let document = format!(
        "{{\"keys\":[{}],\"updated\":[1,{{}}]}}",
        ED25519.jwk()?.text()
    );
    sheet
        .accept("unknown-member-of-the-set", "RFC 7517, section 5", token)
        .key_document(document)?;
    Ok(sheet.into_cases())
}

fn the_rest_works(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("the-rest-of-the-set", ED25519)?;
    let oct = Members::new()
        .with("kty", "oct")
        .with("k", "c2VjcmV0")
        .with("kid", "secret");
    let private = RS256.jwk()?.with("d", "AAAA");
    let off_curve = ES256.jwk()?.with("x", ES256.jwk_text("y")?);
    let for_encryption = ES384.jwk()?.with("use", "enc");
    let token = forge.good(ED25519)?;
    sheet
        .accept("five-keys", "four bad keys beside the good one", token)
        .keys(&[
            oct,
            private,
            ED25519.jwk()?,
            off_curve,
            for_encryption.clone(),
        ])?
        .leaving_out(&[Symmetric, Private, PointInvalid, UseForbids]);
    let token = forge.good(ES384)?;
    sheet
        .refuse(
            "the-bad-one-signed",
            shared::TokenError::UnknownKey,
            "a good token of the key that is left out",
            token,
        )
        .keys(&[ED25519.jwk()?, for_encryption])?
        .leaving_out(&[UseForbids]);
    Ok(sheet.into_cases())
}

fn key_set_form(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-set-form", ED25519)?;
    let key = ED25519.jwk()?.text();
    for (name, document) in [
        ("a-key-alone", key.clone()),
        ("an-array", format!("[{key}]")),
        ("null", "null".to_owned()),
        ("a-string", "\"\"".to_owned()),
        ("empty-object", "{}".to_owned()),
        ("keys-is-an-object", format!("{{\"keys\":{key}}}")),
        ("keys-is-null", "{\"keys\":null}".to_owned()),
        ("keys-twice", format!("{{\"keys\":[],\"keys\":[{key}]}}")),
        (
            "member-twice-in-a-key",
            format!("{{\"keys\":[{}]}}", ED25519.jwk()?.and("kid", "ed").text()),
        ),
    ] {
        let token = forge.good(ED25519)?;
        sheet
            .refuse_set(name, Malformed, "not a key set", token)
            .key_document(document)?;
    }
    let many = |count: usize| {
        let filler = std::iter::repeat_n("{}".to_owned(), count - 1);
        let keys: Vec<_> = filler.chain([key.clone()]).collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    };
    let token = forge.good(ED25519)?;
    sheet
        .accept("100-keys", "the largest set", token.clone())
        .key_document(many(100))?
        .leaving_out(&[TypeMissing; 99]);
    sheet
        .refuse_set("101-keys", TooManyKeys, "a key more", token)
        .key_document(many(101))?;
    Ok(sheet.into_cases())
}
