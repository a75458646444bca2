//! Holds the two verifiers against each other: on every case of the corpus, and of the public
//! vectors where they lie beside the checkout, the Worker in workerd gives the native verdict.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::Value;
use stack::paths;

use crate::cargo_test::Outcome;
use crate::corpus;

/// Cases that workerd's WebCrypto cannot decide, each with its reason. It must then say so: the
/// edge answers 503 and lets nobody through.
const LIMITS_OF_WORKERD: [(&str, &str); 1] = [(
    "weak-rsa-key/exponent_2_32_plus_1",
    "it imports no RSA exponent above 2^32",
)];
const ENGINE_FAILED: &str = "engine_failed";

pub(crate) fn run() -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let cases = read_cases()?;
    let (mut native, mut edge) = (Vec::new(), Vec::new());
    corpus::judge_natively(cases.as_slice(), &mut native)?;
    corpus::judge_at_edge(cases.as_slice(), &mut edge)?;
    let (native, edge) = (String::from_utf8(native)?, String::from_utf8(edge)?);
    let (asked, answered) = (native.lines().count(), edge.lines().count());
    ensure!(
        asked == answered,
        "{answered} verdicts at the edge for {asked} cases"
    );
    let failed: Vec<String> = native
        .lines()
        .zip(edge.lines())
        .filter(|(native, edge)| !agree(native, edge))
        .map(|(native, edge)| {
            format!(
                "{}: native {}, edge {}",
                id(native),
                code(native),
                code(edge)
            )
        })
        .collect();
    let passed = u64::try_from(asked - failed.len())?;
    Ok(Outcome::new(
        "corpus, natively and in workerd",
        passed,
        failed,
        started.elapsed(),
    ))
}

fn agree(native: &str, edge: &str) -> bool {
    let id = id(native);
    if LIMITS_OF_WORKERD.iter().any(|(known, _)| *known == id) {
        return code(edge) == ENGINE_FAILED;
    }
    native == edge
}

fn read_cases() -> anyhow::Result<Vec<u8>> {
    let mut cases = Vec::new();
    for folder in folders() {
        let mut files = list_jsonl(&folder)?;
        files.sort();
        for file in files {
            let text = std::fs::read(&file);
            cases.extend(text.with_context(|| format!("cannot read {}", file.display()))?);
            cases.push(b'\n');
        }
    }
    ensure!(!cases.is_empty(), "the corpus has no cases");
    Ok(cases)
}

fn folders() -> Vec<PathBuf> {
    let own = paths::workspace().join("tests/corpus");
    let public = paths::workspace().join("../shared/vectors");
    [own, public]
        .into_iter()
        .filter(|folder| folder.is_dir())
        .collect()
}

fn list_jsonl(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    Ok(files)
}

fn id(verdict: &str) -> String {
    member(verdict, "id")
}

fn code(verdict: &str) -> String {
    member(verdict, "code")
}

fn member(verdict: &str, name: &str) -> String {
    let verdict: Value = serde_json::from_str(verdict).unwrap_or_default();
    verdict[name].as_str().unwrap_or("(none)").to_owned()
}
