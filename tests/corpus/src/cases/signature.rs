//! Signatures that are almost good, and forgeries that need no key where a check is missing.

mod ecdsa;
mod ed25519;

use shared::TokenError::{self, SignatureInvalid, SignatureLength};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, encode};
use crate::members::Members;
use crate::test_key::{
    ED25519, ES256, OTHER_ED25519, OTHER_ES256, OTHER_RS256, PS256, RS256, TestKey,
};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([ecdsa::cases(forge), ed25519::cases(forge), wrong_key(forge)])
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_default();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The good signature of the standard token, in two halves.
fn halves(forge: &mut Forge, key: TestKey) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let signature = forge.signature(&key, &Draft::of(key).input())?;
    let (r, s) = signature.split_at(signature.len() / 2);
    Ok((r.to_vec(), s.to_vec()))
}

fn push(
    sheet: &mut Sheet,
    key: TestKey,
    name: &str,
    reason: TokenError,
    signature: &[u8],
) -> anyhow::Result<()> {
    let token = format!("{}.{}", Draft::of(key).input(), encode(signature));
    let why = format!("a signature of {}: {name}", key.alg);
    sheet
        .refuse(&format!("{}-{name}", key.kid), reason, &why, token)
        .signed_by_one_of(&[key])?;
    Ok(())
}

/// Good signatures of the right form by the wrong key, or over other bytes.
fn wrong_key(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("wrong-signature", ED25519)?;
    for (ours, theirs) in [
        (ED25519, OTHER_ED25519),
        (ES256, OTHER_ES256),
        (RS256, OTHER_RS256),
    ] {
        let token = forge.forge(&Draft::of(theirs).head("kid", ours.kid))?;
        let why = "another key of the same kind signed";
        sheet
            .refuse(&format!("other-{}", ours.kid), SignatureInvalid, why, token)
            .signed_by_one_of(&[ours])?;
    }
    for (key, other) in [(RS256, PS256), (PS256, RS256)] {
        let draft = Draft::of(key);
        let signature = forge.signature(&other, &draft.input())?;
        let name = format!("{}-signature-as-{}", other.alg, key.alg);
        let token = format!("{}.{}", draft.input(), encode(signature));
        sheet
            .refuse(
                &name,
                SignatureInvalid,
                "one RSA key, the other padding",
                token,
            )
            .signed_by_one_of(&[key])?;
    }
    for (name, why) in [
        ("pss_salt_0", "PSS without a salt"),
        ("pss_salt_20", "PSS with a salt of 20 bytes"),
        ("pss_salt_longest", "PSS with the longest salt that fits"),
        ("pss_mgf_sha1", "PSS whose mask is made with SHA-1"),
        ("pss_sha384", "PSS with SHA-384 under the name of PS256"),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .refuse(name, SignatureInvalid, why, given.token.clone())
            .keys(&[given.jwk()])?;
    }
    for (name, number) in [
        ("zero", vec![0; 256]),
        ("one", [&[0; 255][..], &[1]].concat()),
        ("n", RS256.number("n")?),
        ("all-ones", vec![0xff; 256]),
    ] {
        push(&mut sheet, RS256, name, SignatureInvalid, &number)?;
        push(&mut sheet, PS256, name, SignatureInvalid, &number)?;
    }
    let good = forge.signature(&RS256, &Draft::of(RS256).input())?;
    for (name, signature) in [
        ("a-byte-short", good[1..].to_vec()),
        ("leading-zero", [&[0][..], &good].concat()),
        ("twice", good.repeat(2)),
    ] {
        push(&mut sheet, RS256, name, SignatureLength, &signature)?;
    }
    let changed = Draft::good().claim("sub", "admin").input();
    let signature = encode(forge.signature(&ED25519, &Draft::good().input())?);
    sheet.refuse(
        "changed-claims",
        SignatureInvalid,
        "a good signature over other claims",
        format!("{changed}.{signature}"),
    );
    let bare = Members::new().with("alg", "EdDSA").with("kid", "ed").text();
    let changed = crate::forge::signing_input(bare, Draft::good().payload.text());
    sheet.refuse(
        "changed-header",
        SignatureInvalid,
        "a good signature under another header",
        format!("{changed}.{signature}"),
    );
    Ok(sheet.into_cases())
}
