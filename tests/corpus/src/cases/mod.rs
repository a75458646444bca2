//! The cases themselves, one file a kind of attack or rule, one function a class.

mod algorithm;
mod claims;
mod dates;
mod encoding;
mod header;
mod key_id;
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
    let file = |name, cases: [Vec<Case>; 4]| CaseFile {
        name,
        cases: cases.concat(),
    };
    Ok(vec![
        file(
            "header.jsonl",
            [
                algorithm::cases(forge)?,
                header::cases(forge)?,
                key_id::cases(forge)?,
                typ::cases(forge)?,
            ],
        ),
        file(
            "form.jsonl",
            [
                encoding::cases(forge)?,
                parts::cases(forge)?,
                payload::cases(forge)?,
                rfc::cases(forge)?,
            ],
        ),
        file(
            "claims.jsonl",
            [claims::cases(forge)?, dates::cases(forge)?, vec![], vec![]],
        ),
        file(
            "keys.jsonl",
            [
                signature::cases(forge)?,
                keys::cases(forge)?,
                rsa_keys::cases(forge)?,
                vec![],
            ],
        ),
    ])
}

/// Joins the classes of one file.
fn join<const N: usize>(classes: [Cases; N]) -> Cases {
    let classes: Vec<_> = classes.into_iter().collect::<anyhow::Result<_>>()?;
    Ok(classes.concat())
}
