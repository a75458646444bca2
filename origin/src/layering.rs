//! Who may name whom, read from the sources: HTTP stays at the door, rows stay below rules, and the
//! publisher knows nobody who asks.

use std::fs;
use std::path::Path;

/// The only ones that speak HTTP.
const HTTP: [&str; 5] = ["router", "routes", "extract", "error", "server"];

/// A module and those of ours that it must not name.
const BELOW: [(&str, &[&str]); 5] = [
    ("store", ABOVE_THE_STORE),
    ("publisher", ABOVE_THE_PUBLISHER),
    (
        "cache",
        &["router", "routes", "extract", "server", "commands"],
    ),
    ("revocation", AT_THE_DOOR),
    ("sessions", AT_THE_DOOR),
];
const AT_THE_DOOR: &[&str] = &[
    "router",
    "routes",
    "extract",
    "server",
    "commands",
    "publisher",
];
const ABOVE_THE_PUBLISHER: &[&str] = &[
    "router",
    "routes",
    "extract",
    "error",
    "server",
    "commands",
    "sessions",
    "accounts",
    "passwords",
    "revocation",
];
const ABOVE_THE_STORE: &[&str] = &[
    "router",
    "routes",
    "extract",
    "error",
    "server",
    "commands",
    "sessions",
    "accounts",
    "passwords",
    "revocation",
    "publisher",
    "cache",
    "issuer",
    "app",
    "limits",
];

#[test]
fn only_the_door_speaks_http() {
    for (module, file, code) in sources() {
        let may_speak = HTTP.contains(&module.as_str());
        assert!(may_speak || !names(&code, "axum"), "{file} names axum");
    }
}

#[test]
fn nobody_names_what_is_above_it() {
    for (module, file, code) in sources() {
        for (_, above) in BELOW.iter().filter(|(below, _)| *below == module) {
            for name in *above {
                assert!(!names_ours(&code, name), "{file} names crate::{name}");
            }
        }
    }
}

#[test]
fn a_forbidden_name_in_any_form_of_import_is_noticed() {
    let code = "use crate::{app::App, store::{self, users}};\nlet x = axum::Json(1);";
    assert!(names(code, "axum") && names_ours(code, "store") && names_ours(code, "app"));
    assert!(!names_ours(code, "users") && !names(code, "xum"));
    assert!(names_ours("crate::routes::recorder();", "routes"));
}

/// `name::` as a whole word.
fn names(code: &str, name: &str) -> bool {
    let is_word_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(&format!("{name}::"))
        .any(|(at, _)| !code[..at].chars().next_back().is_some_and(is_word_part))
}

/// `crate::name`, or `name` directly inside `use crate::{…}`.
fn names_ours(code: &str, name: &str) -> bool {
    let is_word_part = |c: char| c.is_alphanumeric() || c == '_';
    code.split("crate::").skip(1).any(|rest| {
        let Some(group) = rest.strip_prefix('{') else {
            let word: String = rest.chars().take_while(|c| is_word_part(*c)).collect();
            return word == name;
        };
        first_level(group)
            .split(',')
            .filter_map(|item| item.split("::").next())
            .any(|item| item.trim() == name)
    })
}

/// What stands in a group of imports, without the groups inside it.
fn first_level(group: &str) -> String {
    let mut depth = 1;
    let mut level = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if depth == 1 => level.push(c),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    level
}

/// Each file with its module of the first level and its code, without comments.
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root).unwrap().display().to_string();
            let module = file.split(['/', '.']).next().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().map(|line| line.split("//").next().unwrap());
            if module != "layering" {
                found.push((module, file, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
}
