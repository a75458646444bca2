//! Enforces that `shared` stays pure: none of its dependencies may know a clock, a random source,
//! the network, a target or a cryptographic backend.

use std::process::Command;

use anyhow::{Context, ensure};
use stack::{paths, progress};

/// Crates whose presence means that `shared` has learnt something it must not know; a name stands
/// for itself and for everything that starts with it and a dash.
const FORBIDDEN: [&str; 20] = [
    "aws-lc",
    "axum",
    "chrono",
    "ed25519",
    "getrandom",
    "hyper",
    "js-sys",
    "jsonwebtoken",
    "mio",
    "p256",
    "p384",
    "rand",
    "reqwest",
    "ring",
    "rsa",
    "socket2",
    "tokio",
    "wasm-bindgen",
    "web-sys",
    "worker",
];

pub(crate) fn run() -> anyhow::Result<()> {
    let output = Command::new("cargo")
        .args([
            "tree",
            "--package",
            "shared",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--target", "all"])
        .current_dir(paths::workspace())
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout)?;
    let found = find_forbidden(&tree);
    ensure!(
        found.is_empty(),
        "shared is not pure: it depends on {}",
        found.join(", ")
    );
    progress::done(&format!(
        "shared is pure: {} crates, all of them computation",
        count(&tree)
    ));
    Ok(())
}

fn find_forbidden(tree: &str) -> Vec<&str> {
    crates(tree)
        .filter(|name| FORBIDDEN.iter().any(|forbidden| is_family(name, forbidden)))
        .collect()
}

fn is_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn crates(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
}

fn count(tree: &str) -> usize {
    crates(tree)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_its_name_and_what_follows_a_dash() {
        assert_eq!(
            find_forbidden("serde v1\nring v0.17\nstring v1\naws-lc-rs v1"),
            ["ring", "aws-lc-rs"]
        );
    }
}
