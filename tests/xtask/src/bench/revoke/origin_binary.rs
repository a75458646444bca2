//! Which origin is measured, so that the document says what it was.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use stack::{paths, progress};

/// A `portcullis` to run, and what is known of it.
#[derive(Debug)]
pub(super) struct OriginBinary {
    pub(super) path: PathBuf,
    pub(super) described: String,
}

/// `PORTCULLIS_BIN`, or this checkout's origin, compiled with optimisation.
pub(super) fn find() -> anyhow::Result<OriginBinary> {
    match std::env::var_os("PORTCULLIS_BIN") {
        Some(path) => {
            let path = PathBuf::from(path);
            let described = format!(
                "`PORTCULLIS_BIN`, {}, built elsewhere and perhaps without optimisation",
                version(&path)?
            );
            Ok(OriginBinary { path, described })
        }
        None => build(),
    }
}

fn build() -> anyhow::Result<OriginBinary> {
    progress::run(
        "compiling the origin with optimisation",
        Command::new("cargo")
            .args(["build", "--release", "--package", "origin"])
            .current_dir(paths::workspace()),
        &paths::logs().join("bench-revoke-build.log"),
    )?;
    let path = paths::target().join("release/portcullis");
    let described = format!("this checkout's release build, {}", version(&path)?);
    Ok(OriginBinary { path, described })
}

/// As the program names itself.
fn version(path: &std::path::Path) -> anyhow::Result<String> {
    let output = Command::new(path)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", path.display()))?;
    ensure!(output.status.success(), "{} has no version", path.display());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
