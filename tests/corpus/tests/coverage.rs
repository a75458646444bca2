//! `coverage.json` lists the rows of the attack table and the rules in our own words; here each
//! is held against the cases, and each code against a case that produces it.

use std::collections::BTreeSet;
use std::fs;

use corpus::{Corpus, folder, load_signatures};
use serde::Deserialize;
use shared::{KeyError, KeySetError, TokenError};

/// Codes that no corpus can produce, each with its reason.
const NO_CASE: [(&str, &str); 1] = [(
    "engine_failed",
    "a fault of the host's engine; shared/tests/hostile.rs has one that fails",
)];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "row")]
    name: String,
    kind: Kind,
    says: String,
    /// Classes of cases.
    #[serde(default)]
    classes: Vec<String>,
    /// Tests that no case could replace, as `file: function`.
    #[serde(default)]
    tests: Vec<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Attack,
    Rule,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(folder().join("coverage.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn corpus() -> Corpus {
    Corpus::build(load_signatures().unwrap()).unwrap()
}

#[test]
fn every_row_and_rule_is_covered() {
    let corpus = corpus();
    let verdicts = |class: &str| -> BTreeSet<_> {
        let cases = corpus.cases().filter(|case| case.class == class);
        cases.map(|case| case.expect).collect()
    };
    let rows = rows();
    assert_eq!(
        rows.iter().filter(|row| row.kind == Kind::Attack).count(),
        29
    );
    for row in rows {
        let name = &row.name;
        assert!(!row.says.is_empty());
        assert!(
            !row.classes.is_empty() || !row.tests.is_empty(),
            "nothing covers {name}"
        );
        for class in &row.classes {
            assert!(
                !verdicts(class).is_empty(),
                "{name}: no case of class {class}"
            );
        }
        for test in &row.tests {
            assert!(is_a_test(test), "{name}: no test {test}");
        }
    }
}

#[test]
fn every_rule_has_a_legal_neighbour_beside_its_refusals() {
    let corpus = corpus();
    for row in rows().into_iter().filter(|row| row.kind == Kind::Rule) {
        let of_row = || {
            corpus
                .cases()
                .filter(|case| row.classes.contains(&case.class))
        };
        for expect in ["accept", "reject"] {
            let is_there = of_row().any(|case| case.expect == expect);
            assert!(is_there, "{}: no case to {expect}", row.name);
        }
    }
}

/// Whether `file: function` names a test that is there.
fn is_a_test(test: &str) -> bool {
    let Some((file, function)) = test.split_once(": ") else {
        return false;
    };
    let root = folder().join("../..");
    let Ok(source) = fs::read_to_string(root.join(file)) else {
        return false;
    };
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let head = format!("fn {function}(");
    lines
        .windows(2)
        .any(|pair| pair[0].contains("test") && pair[1].contains(&head))
}

#[test]
fn every_class_belongs_to_a_row() {
    let claimed: BTreeSet<_> = rows().into_iter().flat_map(|row| row.classes).collect();
    let corpus = corpus();
    for case in corpus.cases() {
        assert!(
            claimed.contains(&case.class),
            "no row names the class {}",
            case.class
        );
    }
}

#[test]
fn every_code_has_a_case_that_produces_it() {
    let corpus = corpus();
    let of_tokens = TokenError::ALL.iter().map(|error| error.code());
    let verdicts = of_tokens.chain(KeySetError::ALL.iter().map(|error| error.code()));
    for code in verdicts.filter(|code| NO_CASE.iter().all(|(excepted, _)| excepted != code)) {
        assert!(
            corpus.cases().any(|case| case.expect_code == code),
            "no case for {code}"
        );
    }
    for code in KeyError::ALL.iter().map(|error| error.code()) {
        assert!(
            corpus.cases().any(|case| case.refused_keys.contains(&code)),
            "no case for {code}"
        );
    }
}
