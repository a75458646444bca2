//! Who chooses the algorithm: the key, never the token.

use shared::TokenError::{
    AlgorithmMismatch, AlgorithmMissing, AlgorithmNotAllowed, AlgorithmRefused, EmptySignature,
    SignatureInvalid,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge};
use crate::test_key::{ED25519, ES256, ES384, ONE_OF_EACH, OTHER_RS256, PS256, RS256, RS384};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        every_algorithm(forge),
        alg_none(forge),
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
