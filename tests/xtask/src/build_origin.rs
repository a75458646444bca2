//! Builds the origin's binary for the stack.

use std::process::Command;

use stack::{paths, progress};

/// Leaves `portcullis` where the stack looks for it.
pub(crate) fn build() -> anyhow::Result<()> {
    progress::run(
        "building the origin",
        // No `--package`: see `.cargo/config.toml`.
        Command::new("cargo")
            .args(["build", "--bin", "portcullis"])
            .current_dir(paths::workspace()),
        &paths::logs().join("origin-build.log"),
    )
}
