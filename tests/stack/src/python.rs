//! A private Python environment with pinned packages. Knows nothing of what runs in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::{apt, paths, progress};

/// Makes an environment in `folder` with what `requirements` pins by hash, unless it is there already,
/// and answers with the folder of its programs.
pub fn install_python_packages(folder: &Path, requirements: &Path) -> anyhow::Result<PathBuf> {
    let programs = folder.join("bin");
    let pinned = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last, so that an installation that broke off is begun anew.
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(programs);
    }
    make_environment(folder)?;
    progress::run(
        "installing Python packages",
        Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--require-hashes", "--no-deps"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(requirements),
        &paths::logs().join("python-packages.log"),
    )?;
    fs::write(&stamp, pinned)?;
    Ok(programs)
}

fn make_environment(folder: &Path) -> anyhow::Result<()> {
    apt::find_or_install("python3", "python3", Vec::new)?;
    // Debian keeps what makes environments in a package of its own.
    run_venv(folder).or_else(|_| {
        apt::install("python3's venv", "python3-venv")?;
        run_venv(folder)
    })
}

fn run_venv(folder: &Path) -> anyhow::Result<()> {
    progress::run(
        "making a Python environment",
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder),
        &paths::logs().join("python-venv.log"),
    )
}
