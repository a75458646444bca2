//! HMACs: who can check one can forge one, so none is ever accepted, whatever its key.

use shared::KeyError::Symmetric;
use shared::TokenError::AlgorithmRefused;

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, sign_with_secret};
use crate::members::Members;
use crate::test_key::{ED25519, ES256, RS256, TestKey};

pub(super) fn cases() -> Cases {
    join([empty_key(), hmac_confusion()])
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
        .leaving_out(&[Symmetric]);
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
