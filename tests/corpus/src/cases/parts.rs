//! The outer form: three parts, and no other serialisation of a token.

use shared::TokenError::{
    self, AlgorithmRefused, EmptySignature, IllegalCharacter, TooLong, WrongPartCount,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, encode};
use crate::test_key::{ED25519, RS256};

/// The longest token that is read.
const LIMIT: usize = 8 * 1024;

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        part_count(forge),
        json_serialisation(forge),
        jwe(forge),
        huge_token(forge),
    ])
}

fn part_count(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("part-count", ED25519)?;
    let good = forge.good(ED25519)?;
    let parts: Vec<_> = good.split('.').collect();
    for (name, token) in [
        ("empty", String::new()),
        ("one-part", parts[0].to_owned()),
        ("two-parts", parts[..2].join(".")),
        ("leading-dot", format!(".{good}")),
        ("trailing-dot", format!("{good}.")),
        ("four-parts", format!("{good}.{}", parts[2])),
        ("five-parts", format!("{good}.{}.{}", parts[1], parts[2])),
        ("double-dot", good.replacen('.', "..", 1)),
        ("one-dot", ".".to_owned()),
        ("many-dots", ".".repeat(LIMIT)),
        ("two-tokens", format!("{good}.{good}")),
    ] {
        sheet.refuse(name, WrongPartCount, "not three parts", token);
    }
    sheet.refuse(
        "two-dots",
        EmptySignature,
        "three empty parts",
        "..".to_owned(),
    );
    sheet.refuse(
        "empty-header",
        TokenError::HeaderJson,
        "an empty header",
        format!(".{}.{}", parts[1], parts[2]),
    );
    let empty = forge.sign(&ED25519, Draft::good().header.text(), "")?;
    sheet.refuse(
        "empty-payload",
        TokenError::PayloadJson,
        "an empty payload, signed",
        empty.clone(),
    );
    sheet
        .accept(
            "empty-payload-signature-only",
            "a JWS may have an empty payload",
            empty,
        )
        .up_to_the_signature();
    let detached = format!("{}..{}", parts[0], parts[2]);
    sheet.refuse(
        "detached-payload",
        TokenError::SignatureInvalid,
        "the payload was left out",
        detached,
    );
    sheet.refuse(
        "bearer-prefix",
        IllegalCharacter,
        "the scheme is no part of the token",
        format!("Bearer {good}"),
    );
    sheet.accept("three-parts", "a good token", good);
    Ok(sheet.into_cases())
}

/// RFC 7515, section 7.2, and texts that parse as both serialisations.
fn json_serialisation(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("json-serialisation", ED25519)?;
    let good = forge.good(ED25519)?;
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = [parts[0], parts[1], parts[2]];
    let flattened =
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    let polyglot = format!(
        r#"{{"  {header}.{payload}.{signature}":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
    );
    for (name, token) in [
        ("flattened", flattened.clone()),
        ("general", general),
        ("polyglot", polyglot),
        ("quoted", format!("\"{good}\"")),
        ("array", format!("[\"{good}\"]")),
    ] {
        sheet.refuse(
            name,
            IllegalCharacter,
            "JSON in place of the compact form",
            token,
        );
    }
    let wrapped = encode(flattened);
    sheet.refuse("encoded", WrongPartCount, "JSON in base64url", wrapped);
    Ok(sheet.into_cases())
}

/// Encrypted tokens, given to a verifier of signed ones.
fn jwe(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("jwe", RS256)?;
    let part = encode([7; 32]);
    for (name, header) in [
        ("direct", r#"{"alg":"dir","enc":"A128GCM","kid":"rs256"}"#),
        (
            "rsa-oaep",
            r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rs256"}"#,
        ),
        (
            "password",
            r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}"#,
        ),
        ("compressed", r#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#),
    ] {
        let token = format!("{}.{part}.{part}.{part}.{part}", encode(header));
        sheet.refuse(
            &format!("{name}-of-five-parts"),
            WrongPartCount,
            "a JWE",
            token,
        );
        let short = format!("{}.{part}.{part}", encode(header));
        let reason = match name {
            "compressed" => TokenError::CompressedPayload,
            _ => TokenError::Encrypted,
        };
        sheet.refuse(
            &format!("{name}-header-on-three-parts"),
            reason,
            "the header of a JWE",
            short,
        );
    }
    let part_of_jwe = format!(
        "{}.{part}.{part}",
        encode(r#"{"alg":"RSA-OAEP","kid":"rs256"}"#)
    );
    sheet.refuse(
        "key-encryption-alg",
        AlgorithmRefused,
        "an `alg` that encrypts keys",
        part_of_jwe,
    );
    let inner = forge.good(RS256)?;
    let nested = Draft::of(RS256).head("cty", "JWT");
    let token = forge.sign(&RS256, nested.header.text(), inner)?;
    sheet.refuse(
        "nested",
        TokenError::NestedToken,
        "a token in a token",
        token,
    );
    Ok(sheet.into_cases())
}

fn huge_token(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("huge-token", ED25519)?;
    let longest = padded(forge, LIMIT)?;
    sheet.accept("8192-bytes", "the longest token", longest.clone());
    sheet.refuse(
        "8193-bytes",
        TooLong,
        "a character more",
        format!("{longest}A"),
    );
    let longer = padded(forge, LIMIT + 2)?;
    sheet.refuse(
        "8194-bytes-signed",
        TooLong,
        "a good token of 8194 bytes",
        longer,
    );
    let dots = ".".repeat(LIMIT + 1);
    sheet.refuse("8193-dots", TooLong, "nothing but dots", dots);
    let digits = Draft::good().payload(|payload| payload.with_raw("pad", &"9".repeat(5000)));
    sheet.refuse(
        "5000-digits",
        TokenError::PayloadJson,
        "a number that no double holds",
        forge.forge(&digits)?,
    );
    let digits = Draft::good()
        .payload(|payload| payload.with_raw("pad", &format!("0.{}", "3".repeat(5000))));
    sheet.accept(
        "5000-decimals",
        "a number of 5000 decimals is a number",
        forge.forge(&digits)?,
    );
    let escapes = Draft::good()
        .payload(|payload| payload.with_raw("pad", &format!("\"{}\"", "\\u0041".repeat(800))));
    sheet.accept(
        "800-escapes",
        "a string of nothing but escapes",
        forge.forge(&escapes)?,
    );
    Ok(sheet.into_cases())
}

/// A good token of exactly so many characters. No base64 text is one character longer than a
/// multiple of four, so header and payload share the padding.
fn padded(forge: &mut Forge, characters: usize) -> anyhow::Result<String> {
    let draft = Draft::good().head("pad", "").claim("pad", "");
    let missing = characters - forge.forge(&draft)?.len();
    let most = missing * 3 / 4;
    for header in 0..3 {
        for payload in most.saturating_sub(8)..=most {
            let draft = draft.clone().head("pad", "x".repeat(header));
            let token = forge.forge(&draft.claim("pad", "x".repeat(payload)))?;
            if token.len() == characters {
                return Ok(token);
            }
        }
    }
    anyhow::bail!("no token of {characters} characters")
}
