//! Who, for whom, by which names: claims other than dates.

use serde::Serialize;
use shared::TokenError::{
    self, AudienceInvalid, AudienceMismatch, AudienceMissing, AuthTimeInvalid, ClientIdInvalid,
    ClientIdMissing, ExpiryMissing, IssuedAtMissing, IssuerInvalid, IssuerMismatch, IssuerMissing,
    RolesInvalid, ScopeInvalid, SessionIdInvalid, SessionIdMissing, SubjectInvalid, SubjectMissing,
    TokenIdInvalid, TokenIdMissing,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{AUDIENCE, Draft, Forge, ISSUER};
use crate::test_key::ED25519;

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        audience(forge),
        issuer(forge),
        required(forge),
        missing_token_id(forge),
        names(forge),
        session_of_our_own(forge),
        optional(forge),
    ])
}

fn with_claim(forge: &mut Forge, name: &str, value: impl Serialize) -> anyhow::Result<String> {
    forge.forge(&Draft::good().claim(name, value))
}

fn with_raw(forge: &mut Forge, name: &str, text: &str) -> anyhow::Result<String> {
    forge.forge(&Draft::good().payload(|payload| payload.with_raw(name, text)))
}

fn audience(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("audience", ED25519)?;
    for (name, audiences) in [
        ("alone-in-an-array", vec![AUDIENCE]),
        ("first", vec![AUDIENCE, "https://other.example"]),
        ("last", vec!["a", "b", AUDIENCE]),
        ("twice", vec![AUDIENCE, AUDIENCE]),
    ] {
        let token = with_claim(forge, "aud", audiences)?;
        sheet.accept(name, "we are in the array", token);
    }
    for (name, text) in [
        ("empty-array", "[]"),
        ("other", "\"https://other.example\""),
        ("empty", "\"\""),
        ("prefix", "\"https://api.exampl\""),
        ("longer", "\"https://api.example.attacker.example\""),
        ("trailing-slash", "\"https://api.example/\""),
        ("other-case", "\"https://API.example\""),
        ("white-space", "\" https://api.example\""),
        (
            "list-in-a-string",
            "\"https://other.example https://api.example\"",
        ),
        ("prefix-in-an-array", "[\"https://api.exampl\"]"),
    ] {
        let token = with_raw(forge, "aud", text)?;
        sheet.refuse(name, AudienceMismatch, "we are not in it", token);
    }
    for (name, text) in [
        ("number", "1"),
        ("null", "null"),
        ("true", "true"),
        ("object", "{\"https://api.example\":true}"),
        ("nested", "[[\"https://api.example\"]]"),
        ("array-with-a-number", "[\"https://api.example\",1]"),
        ("array-with-null", "[\"https://api.example\",null]"),
    ] {
        let token = with_raw(forge, "aud", text)?;
        sheet.refuse(
            name,
            AudienceInvalid,
            "neither a string nor an array of strings",
            token,
        );
    }
    Ok(sheet.into_cases())
}

fn issuer(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("issuer", ED25519)?;
    for issuer in [
        "https://issuer.exampl",
        "https://issuer.example/",
        "https://issuer.example.attacker.example",
        "https://ISSUER.example",
        "http://issuer.example",
        "issuer.example",
        "https://attacker.example/https://issuer.example",
        "https://issuer.example ",
        "https://issuer.example\u{0}",
        "https://\u{456}ssuer.example",
        "",
    ] {
        let token = with_claim(forge, "iss", issuer)?;
        sheet.refuse(
            &format!("{issuer:?}"),
            IssuerMismatch,
            "another issuer",
            token,
        );
    }
    for (name, text) in [
        ("array", "[\"https://issuer.example\"]"),
        ("number", "1"),
        ("null", "null"),
        ("object", "{}"),
        ("true", "true"),
    ] {
        let token = with_raw(forge, "iss", text)?;
        sheet.refuse(name, IssuerInvalid, "`iss` is not a string", token);
    }
    let token = with_raw(forge, "iss", r#""https:\/\/issuer.example""#)?;
    sheet.accept("escaped", "JSON may write a slash with an escape", token);
    let token = with_claim(forge, "iss", ISSUER)?;
    sheet.accept("exact", "the issuer itself", token);
    Ok(sheet.into_cases())
}

fn required(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("required-claims", ED25519)?;
    for (name, reason) in [
        ("iss", IssuerMissing),
        ("aud", AudienceMissing),
        ("sub", SubjectMissing),
        ("jti", TokenIdMissing),
        ("exp", ExpiryMissing),
        ("iat", IssuedAtMissing),
    ] {
        let token = forge.forge(&Draft::good().payload(|payload| payload.without(name)))?;
        sheet.refuse(name, reason, "a required claim is missing", token);
    }
    for name in ["sid", "client_id", "scope"] {
        let token = forge.forge(&Draft::good().payload(|payload| payload.without(name)))?;
        sheet.accept(name, "a claim that may be missing", token);
    }
    Ok(sheet.into_cases())
}

/// A token that no revocation could name.
fn missing_token_id(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("missing-token-id", ED25519)?;
    let token = forge.forge(&Draft::good().payload(|payload| payload.without("jti")))?;
    sheet.refuse(
        "no-jti",
        TokenIdMissing,
        "without `jti` it could not be revoked",
        token,
    );
    let token =
        forge.forge(&Draft::good().payload(|payload| payload.without("jti").with("JTI", "x")))?;
    sheet.refuse("another-case", TokenIdMissing, "`JTI` is not `jti`", token);
    let token = with_claim(forge, "jti", "")?;
    sheet.refuse(
        "empty-jti",
        TokenIdInvalid,
        "an empty `jti` names nothing",
        token,
    );
    let token = with_claim(forge, "sid", "")?;
    sheet.refuse(
        "empty-sid",
        SessionIdInvalid,
        "an empty `sid` names nothing",
        token,
    );
    Ok(sheet.into_cases())
}

/// `jti`, `sub` and `sid`: strings of 1 to 255 bytes.
fn names(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("name-length", ED25519)?;
    for (claim, reason) in [
        ("jti", TokenIdInvalid),
        ("sub", SubjectInvalid),
        ("sid", SessionIdInvalid),
    ] {
        for (name, text) in [
            ("one-byte", "x".to_owned()),
            ("255-bytes", "x".repeat(255)),
            ("254-bytes-of-unicode", "\u{e9}".repeat(127)),
            ("zero-character", "\u{0}".to_owned()),
        ] {
            let token = with_claim(forge, claim, text)?;
            sheet.accept(&format!("{claim}-{name}"), "a name of legal length", token);
        }
        for (name, text) in [
            ("empty", "\"\"".to_owned()),
            ("256-bytes", format!("\"{}\"", "x".repeat(256))),
            (
                "256-bytes-of-unicode",
                format!("\"{}\"", "\u{e9}".repeat(128)),
            ),
            ("number", "7".to_owned()),
            ("null", "null".to_owned()),
            ("array", "[\"x\"]".to_owned()),
            ("object", "{}".to_owned()),
        ] {
            let token = with_raw(forge, claim, &text)?;
            sheet.refuse(
                &format!("{claim}-{name}"),
                reason,
                "not a string of 1 to 255 bytes",
                token,
            );
        }
    }
    Ok(sheet.into_cases())
}

fn session_of_our_own(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("session-of-our-own", ED25519)?;
    let full = forge.good(ED25519)?;
    sheet
        .accept("both", "`sid` and `client_id` are there", full)
        .policy(|policy| policy.require_session = true);
    for (claim, reason) in [("sid", SessionIdMissing), ("client_id", ClientIdMissing)] {
        let token = forge.forge(&Draft::good().payload(|payload| payload.without(claim)))?;
        sheet.accept(
            &format!("no-{claim}-of-others"),
            "asked of our own issuer only",
            token.clone(),
        );
        sheet
            .refuse(
                &format!("no-{claim}-of-ours"),
                reason,
                "our own tokens always have it",
                token,
            )
            .policy(|policy| policy.require_session = true);
    }
    Ok(sheet.into_cases())
}

fn optional(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("optional-claims", ED25519)?;
    let wrong: [(&str, &str, TokenError); 12] = [
        ("client_id", "1", ClientIdInvalid),
        ("client_id", "null", ClientIdInvalid),
        ("client_id", "[\"web\"]", ClientIdInvalid),
        ("scope", "[\"profile\"]", ScopeInvalid),
        ("scope", "null", ScopeInvalid),
        ("scope", "1", ScopeInvalid),
        ("roles", "\"operator\"", RolesInvalid),
        ("roles", "[1]", RolesInvalid),
        ("roles", "null", RolesInvalid),
        ("auth_time", "\"1800000000\"", AuthTimeInvalid),
        ("auth_time", "-1", AuthTimeInvalid),
        ("auth_time", "null", AuthTimeInvalid),
    ];
    for (claim, text, reason) in wrong {
        let token = with_raw(forge, claim, text)?;
        sheet.refuse(
            &format!("{claim}-{text}"),
            reason,
            "of another type than it must have where it is there",
            token,
        );
    }
    for (claim, text) in [
        ("client_id", "\"\""),
        ("scope", "\"\""),
        ("scope", "\"a b  c\""),
        ("roles", "[]"),
        ("roles", "[\"operator\"]"),
        ("auth_time", "1700000000.5"),
        ("email", "\"user@example.com\""),
        ("email", "7"),
        ("email_verified", "\"yes\""),
        ("cnf", "{\"jkt\":\"x\"}"),
        ("nonce", "null"),
        ("https://example.com/claim", "[1,2,3]"),
    ] {
        let token = with_raw(forge, claim, text)?;
        sheet.accept(
            &format!("{claim}-{text}"),
            "legal, or none of our business",
            token,
        );
    }
    Ok(sheet.into_cases())
}
