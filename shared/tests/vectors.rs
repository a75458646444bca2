//! Public vectors in the corpus format, through the native verifier. They lie outside the project,
//! in `../shared/vectors` beside a checkout; where that folder is not there the test says so.
#![cfg(feature = "jsonwebtoken")]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::{NativeVerifier, corpus, verify_now};

#[derive(Deserialize)]
struct Expectation {
    id: String,
    expect: String,
    why: String,
    /// The rules leave the verdict open; only engines must not differ.
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
struct Verdict {
    id: Option<String>,
    verdict: String,
    code: String,
}

#[test]
fn gives_the_expected_verdict_on_every_public_vector() {
    let Some(folder) = vectors_folder() else {
        eprintln!("NOT RUN: no folder ../shared/vectors beside this checkout");
        return;
    };
    let mut wrong = Vec::new();
    for file in ["wycheproof.jsonl", "cookbook.jsonl"] {
        let cases = fs::read_to_string(folder.join(file)).unwrap();
        wrong.extend(cases.lines().filter_map(disagreement));
    }
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

fn vectors_folder() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = checkout.parent()?.join("shared/vectors");
    folder.is_dir().then_some(folder)
}

fn disagreement(line: &str) -> Option<String> {
    let expected: Expectation = serde_json::from_str(line).unwrap();
    let verdict = verify_now(corpus::run_line(line, &NativeVerifier));
    let verdict: Verdict = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict.id.as_ref(), Some(&expected.id));
    let differs = verdict.verdict != expected.expect && !expected.optional;
    differs.then(|| {
        let Expectation { id, expect, why, .. } = expected;
        format!("{id}: expected {expect}, got {} ({}): {why}", verdict.verdict, verdict.code)
    })
}
