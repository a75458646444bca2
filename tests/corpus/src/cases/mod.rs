//! The cases themselves, one file a kind of attack or rule, one function a class.

mod algorithm;
mod claims;
mod dates;
mod encoding;
mod header;
mod hmac;
mod key_id;
mod key_sets;
mod keys;
mod parts;
mod payload;
mod rfc;
mod rsa_keys;
mod signature;
mod typ;

use crate::CaseFile;
use crate::case::Case;
use crate::forge::Forge;

/// What every class function answers.
type Cases = anyhow::Result<Vec<Case>>;

/// Builds every file.
pub(crate) fn build(forge: &mut Forge) -> anyhow::Result<Vec<CaseFile>> {
    let header = [
        algorithm::cases(forge),
        hmac::cases(),
        header::cases(forge),
        key_id::cases(forge),
        typ::cases(forge),
    ];
    let form = [
        encoding::cases(forge),
        parts::cases(forge),
        payload::cases(forge),
        rfc::cases(forge),
    ];
    let claims = [claims::cases(forge), dates::cases(forge)];
    let keys = [
        signature::cases(forge),
        keys::cases(forge),
        key_sets::cases(forge),
        rsa_keys::cases(forge),
    ];
    [
        ("header.jsonl", join(header)),
        ("form.jsonl", join(form)),
        ("claims.jsonl", join(claims)),
        ("keys.jsonl", join(keys)),
    ]
    .into_iter()
    .map(|(name, cases)| {
        Ok(CaseFile {
            name,
            cases: cases?,
        })
    })
    .collect()
}

/// Joins the classes of one file.
fn join<const N: usize>(classes: [Cases; N]) -> Cases {
    let classes: Vec<_> = classes.into_iter().collect::<anyhow::Result<_>>()?;
    Ok(classes.concat())
}
