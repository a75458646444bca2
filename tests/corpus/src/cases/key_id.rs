//! Which key of a set: `kid` is a name to compare and nothing else.

use serde::Serialize;
use shared::KeyError;
use shared::TokenError::{
    AlgorithmMismatch, KeyIdInvalid, KeyIdMissing, NoUsableKey, SignatureInvalid, TypNotAString,
    UnknownKey,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge};
use crate::members::Members;
use crate::test_key::{ED25519, ES256, OTHER_ED25519, RS256, TestKey};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        injection(forge),
        choice(forge),
        repeated(forge),
        header_strings(forge),
    ])
}

fn with_kid(forge: &mut Forge, kid: impl Serialize) -> anyhow::Result<String> {
    forge.forge(&Draft::good().head("kid", kid))
}

fn injection(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("kid-injection", ED25519)?;
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "' UNION SELECT 'key",
        "ed\u{0}",
        "ed ",
        " ed",
        "ED",
        "ed\n",
        "__proto__",
        "constructor",
        "toString",
        "keys/0",
        "0",
        "https://attacker.example/key",
        "| cat /etc/passwd",
        "e\u{301}d",
        "\u{435}d",
    ] {
        let token = with_kid(forge, kid)?;
        sheet.refuse(
            &format!("{kid:?}"),
            UnknownKey,
            "a `kid` that no key has",
            token,
        );
    }
    for (name, text) in [
        ("array", "[\"ed\"]"),
        ("number", "0"),
        ("null", "null"),
        ("object", "{\"kid\":\"ed\"}"),
        ("true", "true"),
        ("empty", "\"\""),
    ] {
        let token = forge.forge(&Draft::good().header(|header| header.with_raw("kid", text)))?;
        sheet.refuse(
            name,
            KeyIdInvalid,
            "`kid` is not a string of 1 to 255 bytes",
            token,
        );
    }
    let token = with_kid(forge, "e".repeat(256))?;
    sheet.refuse("256-bytes", KeyIdInvalid, "a `kid` of 256 bytes", token);
    let token = with_kid(forge, "e".repeat(5000))?;
    sheet.refuse("5000-bytes", KeyIdInvalid, "a `kid` of 5000 bytes", token);
    Ok(sheet.into_cases())
}

fn choice(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("kid-choice", ED25519)?;
    let named = forge.good(ED25519)?;
    let unnamed = forge.forge(&Draft::good().header(|header| header.without("kid")))?;
    let bare = || anyhow::Ok(ED25519.jwk()?.without("kid"));
    sheet
        .accept("named-among-three", "the key that is named", named.clone())
        .signed_by_one_of(&[RS256, ED25519, ES256])?;
    sheet.accept(
        "unnamed-and-one-key",
        "one usable key leaves no choice",
        unnamed.clone(),
    );
    sheet
        .accept(
            "unnamed-and-one-unnamed-key",
            "no name on either side",
            unnamed.clone(),
        )
        .keys(&[bare()?])?;
    let weak = ES256.jwk()?.with("use", "enc");
    sheet
        .accept(
            "unnamed-and-one-usable-key",
            "a key that cannot be used is no choice",
            unnamed.clone(),
        )
        .keys(&[weak, ED25519.jwk()?])?
        .leaving_out(&[KeyError::UseForbids]);
    sheet
        .refuse(
            "unnamed-and-two-keys",
            KeyIdMissing,
            "two keys and no `kid`",
            unnamed.clone(),
        )
        .signed_by_one_of(&[ED25519, OTHER_ED25519])?;
    sheet
        .refuse(
            "unnamed-and-two-kinds",
            KeyIdMissing,
            "not even by kind is a key guessed",
            unnamed.clone(),
        )
        .signed_by_one_of(&[ED25519, ES256])?;
    sheet
        .refuse(
            "named-and-one-unnamed-key",
            UnknownKey,
            "a `kid` must match where it is there",
            named.clone(),
        )
        .keys(&[bare()?])?;
    sheet
        .refuse(
            "named-and-one-other-key",
            UnknownKey,
            "the only key has another name",
            named.clone(),
        )
        .signed_by_one_of(&[OTHER_ED25519])?;
    sheet
        .refuse(
            "named-after-a-key-of-another-kind",
            AlgorithmMismatch,
            "the `kid` of an EC key",
            forge.forge(&Draft::good().head("kid", "es256"))?,
        )
        .signed_by_one_of(&[ED25519, ES256])?;
    sheet
        .refuse(
            "empty-set",
            NoUsableKey,
            "a set without keys",
            named.clone(),
        )
        .keys(&[])?;
    sheet
        .refuse(
            "unnamed-and-the-wrong-key",
            SignatureInvalid,
            "one key, and it did not sign",
            unnamed,
        )
        .signed_by_one_of(&[OTHER_ED25519])?;
    let padded = ED25519.jwk()?.with("kid", "k".repeat(255));
    let token = with_kid(forge, "k".repeat(255))?;
    sheet
        .accept("255-bytes", "the longest `kid`", token)
        .keys(&[padded])?;
    let proto = ED25519.jwk()?.with("kid", "__proto__");
    let token = with_kid(forge, "__proto__")?;
    sheet
        .accept("proto", "any string is a name", token)
        .keys(&[proto])?;
    Ok(sheet.into_cases())
}

/// Two keys with one `kid`: neither is usable.
fn repeated(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("kid-once", ED25519)?;
    let token = forge.good(ED25519)?;
    let named = |key: TestKey| anyhow::Ok(key.jwk()?.with("kid", "ed"));
    let oct = Members::new()
        .with("kty", "oct")
        .with("k", "AAAA")
        .with("kid", "ed");
    let twice = [KeyError::KeyIdRepeated, KeyError::KeyIdRepeated];
    for (name, set, left_out) in [
        ("same-kind", [named(ED25519)?, named(OTHER_ED25519)?], twice),
        ("other-kind", [named(ED25519)?, named(ES256)?], twice),
        ("one-key-twice", [named(ED25519)?, named(ED25519)?], twice),
        (
            "with-a-secret",
            [named(ED25519)?, oct],
            [KeyError::KeyIdRepeated, KeyError::Symmetric],
        ),
    ] {
        sheet
            .refuse(name, NoUsableKey, "two keys share the `kid`", token.clone())
            .keys(&set)?
            .leaving_out(&left_out);
    }
    let rest = [named(ES256)?, named(OTHER_ED25519)?, RS256.jwk()?];
    let good = forge.good(RS256)?;
    sheet
        .accept("the-rest-works", "a third key has its own name", good)
        .keys(&rest)?
        .leaving_out(&twice);
    Ok(sheet.into_cases())
}

fn header_strings(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("header-strings", ED25519)?;
    for text in ["1", "null", "[\"at+jwt\"]", "{}", "true"] {
        let token = forge.forge(&Draft::good().header(|header| header.with_raw("typ", text)))?;
        sheet.refuse(
            &format!("typ-{text}"),
            TypNotAString,
            "`typ` is not a string",
            token,
        );
    }
    let token = forge.good(ED25519)?;
    sheet.accept("strings", "`typ` and `kid` are strings", token);
    Ok(sheet.into_cases())
}
