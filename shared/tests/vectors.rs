//! Public vectors in the corpus format, through the native verifier. They lie outside the project,
//! in `../shared/vectors` beside a checkout; where that folder is not there the test says so.

use std::path::{Path, PathBuf};

use crate::verdicts::{disagreement, read_cases};

#[test]
fn gives_the_expected_verdict_on_every_public_vector() {
    let Some(folder) = vectors_folder() else {
        eprintln!("NOT RUN: no folder ../shared/vectors beside this checkout");
        return;
    };
    let mut wrong = Vec::new();
    for file in ["wycheproof.jsonl", "cookbook.jsonl"] {
        let cases = read_cases(&folder.join(file));
        wrong.extend(
            cases
                .iter()
                .filter_map(|(line, expected)| disagreement(line, expected)),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} disagreements:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn vectors_folder() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = checkout.parent()?.join("shared/vectors");
    folder.is_dir().then_some(folder)
}
