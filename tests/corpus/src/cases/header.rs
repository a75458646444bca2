//! Header members that would change what the token means, and those that do not.

use shared::TokenError::{
    self, CompressedPayload, CriticalHeader, EmbeddedKey, Encrypted, NestedToken, UnencodedPayload,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, encode};
use crate::members::Members;
use crate::test_key::{ED25519, OTHER_ED25519};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        embedded_key(forge),
        key_url(forge),
        crit(forge),
        unencoded_payload(forge),
        other_extensions(forge),
        ignored_members(forge),
        header_not_an_object(forge),
    ])
}

/// A good token with header members set to JSON text.
fn with_header(forge: &mut Forge, members: &[(&str, &str)]) -> anyhow::Result<String> {
    let set = |header: Members| {
        members
            .iter()
            .fold(header, |header, (name, text)| header.with_raw(name, text))
    };
    forge.forge(&Draft::good().header(set))
}

/// The token brings the attacker's key and is signed by it.
fn embedded_key(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("embedded-key", ED25519)?;
    let theirs = OTHER_ED25519.jwk()?.text();
    let attack = Draft::of(OTHER_ED25519).header(|header| header.with_raw("jwk", &theirs));
    let token = forge.forge(&attack)?;
    sheet.refuse(
        "jwk-of-the-attacker",
        EmbeddedKey,
        "`jwk` holds the key that signed",
        token,
    );
    let named = attack.head("kid", "ed");
    let token = forge.forge(&named)?;
    sheet.refuse(
        "jwk-under-our-kid",
        EmbeddedKey,
        "`jwk` holds the key that signed, `kid` is ours",
        token,
    );
    let ours = ED25519.jwk()?.text();
    let token = with_header(forge, &[("jwk", &ours)])?;
    sheet.refuse(
        "jwk-of-ours",
        EmbeddedKey,
        "even our own key has no place in a token",
        token,
    );
    for (name, text) in [("x5c", "[\"MIIB\"]"), ("x5c", "[]"), ("jwk", "null")] {
        let token = with_header(forge, &[(name, text)])?;
        sheet.refuse(
            &format!("{name}-{text}"),
            EmbeddedKey,
            "a key or a certificate in the header",
            token,
        );
    }
    let token = forge.good(OTHER_ED25519)?;
    sheet.refuse(
        "stranger-without-jwk",
        TokenError::UnknownKey,
        "the attacker's key by its own name",
        token,
    );
    let token = forge.forge(&Draft::of(OTHER_ED25519).head("kid", "ed"))?;
    sheet.refuse(
        "stranger-under-our-kid",
        TokenError::SignatureInvalid,
        "the attacker's key under our name",
        token,
    );
    Ok(sheet.into_cases())
}

/// The token names a place to fetch a key from. Nothing may be fetched.
fn key_url(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-url", ED25519)?;
    for (name, url) in [
        ("jku", "https://attacker.example/jwks.json"),
        ("jku", "http://169.254.169.254/latest/meta-data"),
        ("jku", "https://issuer.example/.well-known/jwks.json"),
        ("jku", "file:///etc/passwd"),
        ("x5u", "https://attacker.example/chain.pem"),
    ] {
        let token = forge.forge(&Draft::of(OTHER_ED25519).head("kid", "ed").head(name, url))?;
        sheet.refuse(
            &format!("{name}-{url}"),
            EmbeddedKey,
            "a URL of a key in the header",
            token,
        );
    }
    let token = with_header(forge, &[("x5t", "\"AAAA\""), ("x5t#S256", "\"AAAA\"")])?;
    sheet.accept(
        "thumbprint",
        "`x5t` names a certificate without bringing one",
        token,
    );
    Ok(sheet.into_cases())
}

fn crit(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("crit", ED25519)?;
    for (name, members) in [
        (
            "unknown-and-present",
            &[("crit", "[\"x\"]"), ("x", "1")][..],
        ),
        ("unknown-and-absent", &[("crit", "[\"x\"]")]),
        ("empty", &[("crit", "[]")]),
        ("names-alg", &[("crit", "[\"alg\"]")]),
        ("twice-the-same", &[("crit", "[\"x\",\"x\"]"), ("x", "1")]),
        ("b64-true", &[("crit", "[\"b64\"]"), ("b64", "true")]),
        ("a-string", &[("crit", "\"b64\"")]),
        ("null", &[("crit", "null")]),
        ("an-object", &[("crit", "{}")]),
        (
            "exp-of-rfc-7515",
            &[("crit", "[\"exp\"]"), ("exp", "1800000300")],
        ),
    ] {
        let token = with_header(forge, members)?;
        sheet.refuse(
            name,
            CriticalHeader,
            "no extension is understood, so none may be critical",
            token,
        );
    }
    let token = with_header(forge, &[("Crit", "[\"x\"]")])?;
    sheet.accept("another-case", "`Crit` is not `crit`", token);
    Ok(sheet.into_cases())
}

/// RFC 7797.
fn unencoded_payload(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("unencoded-payload", ED25519)?;
    for value in ["false", "true", "null", "\"false\""] {
        let token = with_header(forge, &[("b64", value)])?;
        sheet.refuse(
            &format!("encoded-with-b64-{value}"),
            UnencodedPayload,
            "`b64` without `crit`",
            token,
        );
    }
    let token = with_header(forge, &[("b64", "false"), ("crit", "[\"b64\"]")])?;
    sheet.refuse(
        "encoded-with-crit",
        CriticalHeader,
        "`b64` and `crit`",
        token,
    );
    let header = Draft::good()
        .header
        .with("b64", false)
        .with("crit", ["b64"])
        .text();
    let input = format!("{}.{}", encode(header), "plain-text");
    let signature = encode(forge.signature(&ED25519, &input)?);
    sheet
        .refuse(
            "plain",
            CriticalHeader,
            "a payload that is not encoded at all",
            format!("{input}.{signature}"),
        )
        .up_to_the_signature();
    Ok(sheet.into_cases())
}

fn other_extensions(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("no-compression-encryption-nesting", ED25519)?;
    for (name, text, reason) in [
        ("zip", "\"DEF\"", CompressedPayload),
        ("zip", "null", CompressedPayload),
        ("enc", "\"A128GCM\"", Encrypted),
        ("enc", "7", Encrypted),
        ("cty", "\"JWT\"", NestedToken),
        ("cty", "\"jwt\"", NestedToken),
        ("cty", "\"application/jwt\"", NestedToken),
    ] {
        let token = with_header(forge, &[(name, text)])?;
        sheet.refuse(
            &format!("{name}-{text}"),
            reason,
            "no access token has this member",
            token,
        );
    }
    let token = with_header(forge, &[("cty", "\"json\"")])?;
    sheet.accept("cty-json", "another content type than a token", token);
    Ok(sheet.into_cases())
}

/// Other members of any type are legal.
fn ignored_members(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("other-header-members", ED25519)?;
    for (name, text) in [
        ("ver", "2"),
        ("org", "\"acme\""),
        ("nested", "{\"a\":[1,{\"b\":null}]}"),
        ("list", "[true,false,null]"),
        ("nonce", "null"),
        ("epk", "{\"kty\":\"EC\"}"),
        ("p2c", "2147483647"),
        ("iss", "\"https://attacker.example\""),
        ("exp", "0"),
        ("__proto__", "{\"alg\":\"none\"}"),
        ("ALG", "\"none\""),
        ("", "\"\""),
    ] {
        let token = with_header(forge, &[(name, text)])?;
        sheet.accept(
            &format!("{name:?}"),
            "a header member that is legal and ignored",
            token,
        );
    }
    Ok(sheet.into_cases())
}

fn header_not_an_object(forge: &mut Forge) -> Cases {
    use TokenError::{HeaderJson, HeaderNotAnObject};
    let mut sheet = Sheet::new("header-not-an-object", ED25519)?;
    let payload = Draft::good().payload.text();
    for (name, header, reason) in [
        ("array", &b"[\"alg\",\"EdDSA\"]"[..], HeaderNotAnObject),
        ("string", b"\"EdDSA\"", HeaderNotAnObject),
        ("null", b"null", HeaderNotAnObject),
        ("number", b"1", HeaderNotAnObject),
        ("truncated", b"{\"alg\":\"EdDSA\"", HeaderJson),
        ("two-objects", b"{\"alg\":\"EdDSA\"}{}", HeaderJson),
        ("trailing-comma", b"{\"alg\":\"EdDSA\",}", HeaderJson),
        ("comment", b"{\"alg\":\"EdDSA\"/**/}", HeaderJson),
        (
            "byte-order-mark",
            b"\xef\xbb\xbf{\"alg\":\"EdDSA\"}",
            HeaderJson,
        ),
        (
            "invalid-utf-8",
            b"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}",
            HeaderJson,
        ),
        (
            "surrogate",
            b"{\"alg\":\"EdDSA\",\"x\":\"\\ud800\"}",
            HeaderJson,
        ),
        (
            "control-character",
            b"{\"alg\":\"EdDSA\",\"x\":\"\x01\"}",
            HeaderJson,
        ),
        ("empty", b"", HeaderJson),
    ] {
        let token = forge.sign(&ED25519, header, &payload)?;
        sheet.refuse(name, reason, "the header is not a JSON object", token);
    }
    let spaced = " {\n \"alg\" : \"EdDSA\" ,\t\"typ\":\"at+jwt\",\"kid\":\"\\u0065d\"} \r\n";
    let token = forge.sign(&ED25519, spaced, &payload)?;
    sheet.accept("white-space-and-escapes", "JSON may have both", token);
    Ok(sheet.into_cases())
}
