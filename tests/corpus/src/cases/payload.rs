//! The payload as JSON: one object, each member once, not too deep, real text.

use shared::TokenError::{
    self, HeaderDuplicateMember, HeaderTooDeep, PayloadDuplicateMember, PayloadJson,
    PayloadNotAnObject, PayloadTooDeep,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, EXP, Forge};
use crate::test_key::ED25519;

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        duplicate_members(forge),
        not_an_object(forge),
        depth(forge),
        unicode(forge),
    ])
}

fn duplicate_members(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("duplicate-members", ED25519)?;
    for (name, value) in [
        ("alg", "none"),
        ("alg", "EdDSA"),
        ("kid", "other"),
        ("typ", "at+jwt"),
    ] {
        let token = forge.forge(&Draft::good().header(|header| header.and(name, value)))?;
        sheet.refuse(
            &format!("header-{name}-{value}"),
            HeaderDuplicateMember,
            "a header member twice",
            token,
        );
    }
    let header = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed","x":{"y":1,"y":1}}"#;
    let token = forge.sign(&ED25519, header, Draft::good().payload.text())?;
    sheet.refuse(
        "header-nested",
        HeaderDuplicateMember,
        "a member twice inside a header member",
        token,
    );
    let header = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed","\u0061lg":"none"}"#;
    let token = forge.sign(&ED25519, header, Draft::good().payload.text())?;
    sheet.refuse(
        "header-escaped",
        HeaderDuplicateMember,
        "`alg` again, spelled with an escape",
        token,
    );

    for (name, value) in [
        ("sub", "admin"),
        ("iss", "https://attacker.example"),
        ("aud", "https://other.example"),
        ("jti", "other"),
        ("sid", "other"),
        ("scope", "operator"),
        ("unknown", "x"),
    ] {
        let draft = Draft::good()
            .claim("unknown", "y")
            .payload(|payload| payload.and(name, value));
        sheet.refuse(
            &format!("payload-{name}"),
            PayloadDuplicateMember,
            "a claim twice",
            forge.forge(&draft)?,
        );
    }
    let draft = Draft::good().payload(|payload| payload.and("exp", EXP + 1));
    sheet.refuse(
        "payload-exp",
        PayloadDuplicateMember,
        "`exp` twice",
        forge.forge(&draft)?,
    );
    for (name, text) in [
        ("inside-cnf", r#"{"jkt":"a","jkt":"b"}"#),
        ("inside-an-array", r#"[{"a":1},{"a":1,"b":2,"a":1}]"#),
        ("escaped", r#"{"a":1,"\u0061":1}"#),
        ("equal-values", r#"{"a":1,"a":1}"#),
    ] {
        let draft = Draft::good().payload(|payload| payload.with_raw("cnf", text));
        sheet.refuse(
            name,
            PayloadDuplicateMember,
            "a member twice inside a claim",
            forge.forge(&draft)?,
        );
    }
    let draft = Draft::good().payload(|payload| {
        payload
            .with_raw("cnf", r#"[{"a":1},{"a":1},{"A":1}]"#)
            .with("SUB", "x")
    });
    sheet.accept(
        "same-name-in-two-objects",
        "two objects, or two cases, are two names",
        forge.forge(&draft)?,
    );
    Ok(sheet.into_cases())
}

fn not_an_object(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("payload-not-an-object", ED25519)?;
    let good = Draft::good().payload.text();
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let list = format!("[{good}]");
    let with_bom = [b"\xef\xbb\xbf", good.as_bytes()].concat();
    for (name, payload, reason) in [
        ("array-of-claims", list.as_bytes(), PayloadNotAnObject),
        ("array", b"[]", PayloadNotAnObject),
        ("string", b"\"claims\"", PayloadNotAnObject),
        ("number", b"1800000000", PayloadNotAnObject),
        ("null", b"null", PayloadNotAnObject),
        ("true", b"true", PayloadNotAnObject),
        ("byte-order-mark", &with_bom, PayloadJson),
        ("utf-16", &utf_16, PayloadJson),
        ("truncated", &good.as_bytes()[..good.len() - 1], PayloadJson),
        (
            "two-objects",
            &[good.as_bytes(), good.as_bytes()].concat(),
            PayloadJson,
        ),
        (
            "zero-byte-after",
            &[good.as_bytes(), b"\0"].concat(),
            PayloadJson,
        ),
        ("single-quotes", b"{'iss':1}", PayloadJson),
        ("binary", &[0xff; 40], PayloadJson),
    ] {
        let token = forge.sign(&ED25519, Draft::good().header.text(), payload)?;
        sheet.refuse(
            name,
            reason,
            "the payload is not a JSON object",
            token.clone(),
        );
        sheet
            .accept(
                &format!("{name}-signature-only"),
                "a JWS may carry anything",
                token,
            )
            .up_to_the_signature();
    }
    let empty = forge.sign(&ED25519, Draft::good().header.text(), "{}")?;
    sheet.refuse(
        "empty-object",
        TokenError::IssuerMissing,
        "an object without claims",
        empty,
    );
    Ok(sheet.into_cases())
}

fn depth(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("depth", ED25519)?;
    let arrays = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    for (name, text) in [("arrays", arrays(31)), ("objects", objects(31))] {
        let draft = Draft::good().payload(|payload| payload.with_raw("deep", &text));
        sheet.accept(
            &format!("payload-{name}-32"),
            "32 levels",
            forge.forge(&draft)?,
        );
        let draft = Draft::good().header(|header| header.with_raw("deep", &text));
        sheet.accept(
            &format!("header-{name}-32"),
            "32 levels",
            forge.forge(&draft)?,
        );
    }
    for (name, text) in [
        ("arrays-33", arrays(32)),
        ("objects-33", objects(32)),
        ("arrays-1001", arrays(1000)),
    ] {
        let draft = Draft::good().payload(|payload| payload.with_raw("deep", &text));
        sheet.refuse(
            &format!("payload-{name}"),
            PayloadTooDeep,
            "more than 32 levels",
            forge.forge(&draft)?,
        );
        let draft = Draft::good().header(|header| header.with_raw("deep", &text));
        sheet.refuse(
            &format!("header-{name}"),
            HeaderTooDeep,
            "more than 32 levels",
            forge.forge(&draft)?,
        );
    }
    Ok(sheet.into_cases())
}

fn unicode(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("unicode", ED25519)?;
    for (name, text) in [
        ("lone-high-surrogate", r#""\ud800""#),
        ("lone-low-surrogate", r#""\udc00""#),
        ("surrogates-in-wrong-order", r#""\udc00\ud800""#),
        ("bad-escape", r#""\x41""#),
        ("short-escape", r#""\u41""#),
        ("line-break", "\"\n\""),
    ] {
        let draft = Draft::good().payload(|payload| payload.with_raw("name", text));
        sheet.refuse(
            name,
            PayloadJson,
            "not a string of Unicode",
            forge.forge(&draft)?,
        );
    }
    let draft = Draft::good().payload(|payload| payload.with_raw("x", r#"{"\ud800":1}"#));
    sheet.refuse(
        "surrogate-in-a-name",
        PayloadJson,
        "not a string of Unicode",
        forge.forge(&draft)?,
    );
    let mut raw = Draft::good()
        .claim("name", "NAME")
        .payload
        .text()
        .into_bytes();
    for (name, bad) in [
        ("invalid-utf-8", *b"\xff\xfe\xfd\xfc"),
        ("overlong-utf-8", *b"\xc0\xafab"),
        ("surrogate-in-utf-8", *b"\xed\xa0\x80a"),
    ] {
        let place = raw
            .windows(4)
            .position(|window| window == b"NAME")
            .unwrap_or_default();
        let mut bytes = raw.clone();
        bytes[place..place + 4].copy_from_slice(&bad);
        let token = forge.sign(&ED25519, Draft::good().header.text(), bytes)?;
        sheet.refuse(name, PayloadJson, "not UTF-8", token);
    }
    raw.clear();
    for (name, text) in [
        ("surrogate-pair", r#""\ud83d\ude00""#),
        ("zero-character", r#""\u0000""#),
        ("noncharacter", r#""\uffff""#),
        ("emoji", "\"\u{1f600}\""),
        ("byte-order-mark-in-a-string", "\"\u{feff}\""),
    ] {
        let draft = Draft::good().payload(|payload| payload.with_raw("name", text));
        sheet.accept(name, "a legal string", forge.forge(&draft)?);
    }
    Ok(sheet.into_cases())
}
