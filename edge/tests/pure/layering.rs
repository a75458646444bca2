//! Only `platform` and the entry point know the Workers platform: a pure module that names it could
//! not be tested here, and its effects would not be seen.

use std::fs;
use std::path::{Path, PathBuf};

const PLATFORM_NAMES: [&str; 5] = [
    "worker",
    "js_sys",
    "web_sys",
    "wasm_bindgen",
    "wasm_bindgen_futures",
];

/// The shell: it may call `platform`, and hands the platform's responses through.
const SHELL: [&str; 6] = [
    "lib.rs",
    "handler.rs",
    "evidence.rs",
    "outcome.rs",
    "list_refresh.rs",
    "list_fetch.rs",
];

#[test]
fn names_the_platform_only_in_the_platform_and_the_entry_point() {
    for (name, source) in sources() {
        let may_name = name.starts_with("platform") || name == "lib.rs";
        for found in PLATFORM_NAMES
            .iter()
            .filter(|crate_name| names_crate(&source, crate_name))
        {
            assert!(may_name, "{name} names `{found}`");
        }
    }
}

#[test]
fn calls_the_platform_only_from_the_shell() {
    for (name, source) in sources() {
        let may_call = name.starts_with("platform") || SHELL.contains(&name.as_str());
        assert!(
            may_call || !source.contains("platform::"),
            "{name} calls the platform"
        );
    }
}

#[test]
fn knows_no_origin() {
    let manifest = include_str!("../../Cargo.toml");
    assert!(
        !manifest.contains("origin"),
        "the edge depends on the origin"
    );
}

/// `name::`, `use name;`, or an attribute, as a whole word outside of comments.
fn names_crate(source: &str, name: &str) -> bool {
    let code = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let is_word_part = |c: char| c.is_alphanumeric() || c == '_';
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + name.len()..];
            !before.is_some_and(is_word_part) && (after.starts_with("::") || after.starts_with(';'))
        })
    })
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 15, "the sources were not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}
