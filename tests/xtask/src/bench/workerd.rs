//! The program that runs Workers, without wrangler or a proxy before it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use stack::paths;

/// The version of the platform's behaviour, as in `wrangler.toml`.
pub(super) const COMPATIBILITY_DATE: &str = "2026-04-01";

/// The binary that npm installs for this platform; the `workerd` package itself only finds it.
pub(super) fn find_program() -> anyhow::Result<PathBuf> {
    let packages = paths::node_modules().join("@cloudflare");
    let folders = fs::read_dir(&packages).with_context(|| format!("no {}", packages.display()))?;
    for folder in folders {
        let folder = folder?;
        let is_workerd = folder.file_name().to_string_lossy().starts_with("workerd-");
        if is_workerd {
            return Ok(folder.path().join("bin/workerd"));
        }
    }
    bail!("no workerd in {}", packages.display())
}

/// As it names itself.
pub(super) fn version(program: &Path) -> anyhow::Result<String> {
    let output = std::process::Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
