//! One corpus through both engines, by the command that anyone runs: `jsonwebtoken`'s cryptography
//! in a process and WebCrypto in workerd must not differ, in verdict or in code.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use stack::paths;

/// Cases on whose verdict or code the engines may differ, each with the reason. None is known.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// Every case with the edge's verdict, asked for once.
static AT_EDGE: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let cases = gather_cases();
    let verdicts = judge("edge", &cases);
    cases.into_iter().zip(verdicts).collect()
});

#[test]
fn native_and_edge_give_every_case_the_same_verdict_and_code() {
    let cases: Vec<_> = AT_EDGE.iter().map(|(case, _)| case.clone()).collect();
    let native = judge("native", &cases);
    let pairs = AT_EDGE.iter().zip(&native);
    let differences: Vec<_> = pairs
        .filter(|((case, edge), native)| edge != *native && !is_exception(case))
        .map(|((_, edge), native)| format!("native {native}\n  edge {edge}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_edge_gives_every_case_the_verdict_that_it_expects() {
    for (case, verdict) in AT_EDGE.iter() {
        let case: Value = serde_json::from_str(case).unwrap();
        let verdict: Value = serde_json::from_str(verdict).unwrap();
        assert_eq!(verdict["id"], case["id"]);
        let is_open = case["optional"] == true;
        assert!(
            is_open || verdict["verdict"] == case["expect"],
            "{verdict} {}",
            case["why"]
        );
        // Only our own corpus knows the codes.
        let code = case.get("expect_code");
        assert!(
            code.is_none_or(|code| verdict["code"] == *code),
            "{verdict} {}",
            case["why"]
        );
    }
}

fn is_exception(case: &str) -> bool {
    let case: Value = serde_json::from_str(case).unwrap();
    EXCEPTIONS.iter().any(|(id, _)| case["id"] == *id)
}

/// Our own cases, and the public ones where they lie beside the checkout.
fn gather_cases() -> Vec<String> {
    let checkout = paths::workspace();
    let mut cases = read_files(&checkout.join("tests/corpus"));
    assert!(!cases.is_empty());
    let public = checkout.join("../shared/vectors");
    if public.is_dir() {
        cases.extend(read_files(&public));
    } else {
        eprintln!("PUBLIC VECTORS NOT RUN: no folder ../shared/vectors beside this checkout");
    }
    cases
}

fn read_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn judge(engine: &str, cases: &[String]) -> Vec<String> {
    let file = paths::target().join(format!("engines-{engine}.jsonl"));
    fs::write(&file, cases.join("\n")).unwrap();
    let output = Command::new("cargo")
        .args(["xtask", "corpus", "--engine", engine])
        .current_dir(paths::workspace())
        .stdin(File::open(&file).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    assert!(
        output.status.success(),
        "the engine {engine} ended with {}",
        output.status
    );
    let verdicts = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<_> = verdicts.lines().map(str::to_owned).collect();
    assert_eq!(verdicts.len(), cases.len(), "a verdict for each case");
    verdicts
}
