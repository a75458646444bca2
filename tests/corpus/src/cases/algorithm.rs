//! Who chooses the algorithm: the key, never the token.

use shared::TokenError::{
    AlgorithmMismatch, AlgorithmMissing, AlgorithmNotAllowed, AlgorithmRefused, EmptySignature,
    SignatureInvalid,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, sign_with_secret};
use crate::members::Members;
use crate::test_key::{
    ED25519, ES256, ES384, ONE_OF_EACH, OTHER_RS256, PS256, RS256, RS384, TestKey,
};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        every_algorithm(forge),
        alg_none(forge),
        empty_key(),
        hmac_confusion(),
        alg_from_header(forge),
        alg_without_pin(forge),
        eddsa_names(forge),
        allowed_algorithms(forge),
    ])
}

fn every_algorithm(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("every-algorithm", ED25519)?;
    for key in ONE_OF_EACH {
        let good = forge.good(key)?;
        let other = forge.forge(&Draft::of(key).claim("sub", "user-2"))?;
        let (input, _) = good.rsplit_once('.').unwrap_or_default();
        let (_, foreign) = other.rsplit_once('.').unwrap_or_default();
        let mixed = format!("{input}.{foreign}");
        sheet
            .accept(key.kid, "a good token", good)
            .signed_by_one_of(&[key])?;
        sheet
            .refuse(
                &format!("{}-of-another-token", key.kid),
                SignatureInvalid,
                "the signature of another token by the same key",
                mixed,
            )
            .signed_by_one_of(&[key])?;
    }
    Ok(sheet.into_cases())
}

fn alg_none(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("alg-none", ED25519)?;
    for name in ["none", "None", "NONE", "nOnE", "noNE", "none "] {
        let draft = Draft::good().head("alg", name);
        let input = draft.input();
        let why = format!("`alg` is `{name}`");
        let empty = format!("{input}.");
        sheet.refuse(
            &format!("{name:?}-empty-signature"),
            EmptySignature,
            &why,
            empty,
        );
        let signed = forge.forge(&draft)?;
        sheet.refuse(&format!("{name:?}-signed"), AlgorithmRefused, &why, signed);
    }
    let missing = Draft::good().head("alg", "none").input();
    sheet.refuse(
        "two-parts",
        shared::TokenError::WrongPartCount,
        "`alg` is `none` and the third part is missing",
        missing,
    );
    let stripped = Draft::good().input() + ".";
    sheet.refuse(
        "stripped-signature",
        EmptySignature,
        "a good token without its signature",
        stripped,
    );
    Ok(sheet.into_cases())
}

fn empty_key() -> Cases {
    let mut sheet = Sheet::new("empty-key", ED25519)?;
    let draft = Draft::good().head("alg", "HS256");
    for (name, secret) in [("empty", &b""[..]), ("zero", &[0; 32]), ("null", b"null")] {
        let token = sign_with_secret(&draft, secret)?;
        sheet.refuse(
            name,
            AlgorithmRefused,
            "HS256 under a secret that a broken configuration yields",
            token,
        );
    }
    let token = sign_with_secret(&draft, b"")?;
    let oct = Members::new()
        .with("kty", "oct")
        .with("k", "")
        .with("kid", "ed");
    sheet
        .refuse(
            "symmetric-key-in-the-set",
            AlgorithmRefused,
            "the set publishes an empty secret",
            token,
        )
        .keys(&[oct])?
        .leaving_out(&[shared::KeyError::Symmetric]);
    Ok(sheet.into_cases())
}

/// HS256 under what everybody knows of the public key.
fn hmac_confusion() -> Cases {
    let mut sheet = Sheet::new("hmac-confusion", RS256)?;
    let public = [
        ("modulus", RS256.number("n")?),
        ("jwk", RS256.jwk()?.text().into_bytes()),
        (
            "jwk-after-white-space",
            format!(" \n{}", RS256.jwk()?.text()).into_bytes(),
        ),
        ("der", spki(&RS256)?),
        ("pem", pem(&RS256)?.into_bytes()),
        (
            "pem-without-last-line-break",
            pem(&RS256)?.trim_end().as_bytes().to_vec(),
        ),
        (
            "pem-after-white-space",
            format!("\n {}", pem(&RS256)?).into_bytes(),
        ),
    ];
    for (name, secret) in public {
        let draft = Draft::of(RS256).head("alg", "HS256");
        let token = sign_with_secret(&draft, &secret)?;
        let why = "HS256 with the RSA public key as the secret";
        sheet.refuse(name, AlgorithmRefused, why, token);
    }
    let draft = Draft::of(ES256).head("alg", "HS256");
    let token = sign_with_secret(&draft, ES256.jwk()?.text().as_bytes())?;
    sheet
        .refuse(
            "ec-jwk",
            AlgorithmRefused,
            "HS256 with the EC public key as the secret",
            token,
        )
        .signed_by_one_of(&[ES256])?;
    Ok(sheet.into_cases())
}

/// The DER of an RSA public key with a modulus of 2048 bits and the exponent 65537 (RFC 8017,
/// appendix A.1.1, in the frame of RFC 5280).
fn spki(key: &TestKey) -> anyhow::Result<Vec<u8>> {
    const FRAME: [u8; 33] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82,
        0x01, 0x01, 0x00,
    ];
    const EXPONENT: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
    Ok([&FRAME[..], &key.number("n")?, &EXPONENT].concat())
}

fn pem(key: &TestKey) -> anyhow::Result<String> {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(spki(key)?);
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    Ok(text + "-----END PUBLIC KEY-----\n")
}

/// The header names another algorithm than the key's, with and without a pin in the JWK.
fn alg_from_header(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("alg-from-header", ED25519)?;
    let pairs = [
        (RS256, "PS256"),
        (RS256, "RS384"),
        (PS256, "RS256"),
        (RS384, "RS256"),
        (ES256, "RS256"),
        (ES256, "ES384"),
        (ES384, "ES256"),
        (ED25519, "RS256"),
        (ED25519, "ES256"),
    ];
    for (key, alg) in pairs {
        let token = forge.forge(&Draft::of(key).head("alg", alg))?;
        let why = format!("the key is pinned to {}, the header says {alg}", key.alg);
        sheet
            .refuse(
                &format!("{alg}-header-for-{}-key", key.alg),
                AlgorithmMismatch,
                &why,
                token,
            )
            .signed_by_one_of(&[key])?;
    }
    for (key, header) in [(PS256, "PS256"), (RS384, "RS384")] {
        let token = forge.forge(&Draft::of(key).head("alg", header))?;
        let unpinned = key.jwk()?.without("alg");
        sheet
            .refuse(
                &format!("{header}-for-an-unpinned-rsa-key"),
                AlgorithmMismatch,
                "an RSA key without `alg` is an RS256 key, whatever the header says",
                token,
            )
            .keys(&[unpinned])?;
    }
    for alg in [
        "ES512", "ES256K", "Ed448", "RS1", "rs256", "eddsa", "HS384", "HS512", "RSA-OAEP", "dir",
        "",
    ] {
        let token = forge.forge(&Draft::good().head("alg", alg))?;
        sheet.refuse(
            &format!("never-{alg:?}"),
            AlgorithmRefused,
            "an algorithm that is never accepted",
            token,
        );
    }
    for (name, value) in [
        ("null", "null"),
        ("number", "256"),
        ("array", "[\"EdDSA\"]"),
        ("true", "true"),
    ] {
        let token = forge.forge(&Draft::good().header(|header| header.with_raw("alg", value)))?;
        sheet.refuse(
            &format!("alg-is-{name}"),
            AlgorithmRefused,
            "`alg` is not a string",
            token,
        );
    }
    let token = forge.forge(&Draft::good().header(|header| header.without("alg")))?;
    sheet.refuse("no-alg", AlgorithmMissing, "the header has no `alg`", token);
    Ok(sheet.into_cases())
}

/// A JWK without `alg` has the one algorithm of its kind.
fn alg_without_pin(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("alg-without-pin", ED25519)?;
    for key in [ED25519, ES256, ES384, RS256] {
        let token = forge.good(key)?;
        let unpinned = key.jwk()?.without("alg");
        let why = format!("a key without `alg` of the kind that means {}", key.alg);
        sheet.accept(key.alg, &why, token).keys(&[unpinned])?;
    }
    Ok(sheet.into_cases())
}

/// RFC 9864 renames `EdDSA` on Ed25519; both names mean one algorithm.
fn eddsa_names(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("eddsa-names", ED25519)?;
    for (key_name, token_name) in [
        ("EdDSA", "Ed25519"),
        ("Ed25519", "EdDSA"),
        ("Ed25519", "Ed25519"),
    ] {
        let token = forge.forge(&Draft::good().head("alg", token_name))?;
        let key = ED25519.jwk()?.with("alg", key_name);
        sheet
            .accept(
                &format!("{token_name}-under-{key_name}"),
                "two names of one algorithm",
                token,
            )
            .keys(&[key])?;
    }
    let token = forge.good(ED25519)?;
    sheet
        .accept(
            "policy-says-Ed25519",
            "the policy uses the other name",
            token,
        )
        .policy(|policy| policy.algorithms = vec!["Ed25519"]);
    let token = forge.forge(&Draft::good().head("alg", "ED25519"))?;
    sheet.refuse(
        "wrong-case",
        AlgorithmRefused,
        "names are compared with case",
        token,
    );
    Ok(sheet.into_cases())
}

/// A good signature by an algorithm that this issuer does not use.
fn allowed_algorithms(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("allowed-algorithms", RS256)?;
    let token = forge.good(RS256)?;
    sheet
        .accept("allowed", "the one allowed algorithm", token.clone())
        .policy(|policy| policy.algorithms = vec!["RS256"]);
    for (name, allowed) in [
        ("others-only", vec!["ES256", "EdDSA"]),
        ("nothing", vec![]),
        ("none", vec!["none"]),
    ] {
        sheet
            .refuse(
                name,
                AlgorithmNotAllowed,
                "the policy does not allow RS256",
                token.clone(),
            )
            .policy(|policy| policy.algorithms = allowed);
    }
    let stranger = forge.good(OTHER_RS256)?;
    sheet.refuse(
        "stranger",
        shared::TokenError::UnknownKey,
        "a key that is not in the set",
        stranger,
    );
    Ok(sheet.into_cases())
}
