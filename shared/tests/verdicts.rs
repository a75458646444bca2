//! Runs a file of cases through the native verifier and says where it disagrees.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::{KeySet, NativeVerifier, corpus, verify_now};

/// The files of our own corpus.
pub(crate) const OWN_FILES: [&str; 4] =
    ["header.jsonl", "form.jsonl", "claims.jsonl", "keys.jsonl"];

/// Where they lie.
pub(crate) fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

/// What a line expects.
#[derive(Deserialize)]
pub(crate) struct Expectation {
    id: String,
    pub(crate) class: String,
    expect: String,
    /// The code, where the corpus knows it.
    expect_code: Option<String>,
    why: String,
    /// The rules leave the verdict open; only engines must not differ.
    #[serde(default)]
    optional: bool,
    /// The codes of the keys that are left out, where the corpus names them.
    refused_keys: Option<Vec<String>>,
    #[serde(default)]
    keys: serde_json::Value,
}

#[derive(Deserialize)]
struct Verdict {
    id: Option<String>,
    #[serde(rename = "verdict")]
    outcome: String,
    code: String,
}

/// Every line of a file with what it expects.
pub(crate) fn read_cases(path: &Path) -> Vec<(String, Expectation)> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| (line.to_owned(), serde_json::from_str(line).unwrap()))
        .collect()
}

/// What is wrong with the native verdict on a case, if anything is.
pub(crate) fn disagreement(line: &str, expected: &Expectation) -> Option<String> {
    let verdict = verify_now(corpus::run_line(line, &NativeVerifier));
    let verdict: Verdict = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict.id.as_ref(), Some(&expected.id));
    let same_verdict = verdict.outcome == expected.expect || expected.optional;
    let code = expected.expect_code.as_ref();
    let same_code = code.is_none_or(|code| *code == verdict.code);
    let (id, expect, why) = (&expected.id, &expected.expect, &expected.why);
    if !(same_verdict && same_code) {
        let code = code.map_or("", String::as_str);
        let got = format!("{} ({})", verdict.outcome, verdict.code);
        return Some(format!("{id}: expected {expect} {code}, got {got}: {why}"));
    }
    let left_out = expected.refused_keys.as_ref()?;
    let refused = refused_keys(&expected.keys);
    (refused != *left_out).then(|| format!("{id}: left out {refused:?}, expected {left_out:?}"))
}

fn refused_keys(keys: &serde_json::Value) -> Vec<String> {
    let set = KeySet::from_value(keys).unwrap();
    let codes = set.refused().iter().map(|key| key.reason.code().to_owned());
    codes.collect()
}

/// Every case of our own corpus.
pub(crate) fn own_cases() -> impl Iterator<Item = serde_json::Value> {
    let texts = OWN_FILES.map(|file| fs::read_to_string(own_folder().join(file)).unwrap());
    texts.into_iter().flat_map(|text| {
        let cases = text.lines().map(|line| serde_json::from_str(line).unwrap());
        cases.collect::<Vec<_>>()
    })
}

/// One case of our own corpus by its id.
pub(crate) fn find_case(id: &str) -> serde_json::Value {
    own_cases().find(|case| case["id"] == id).unwrap()
}
