//! Programs of the system: found, or installed where we may, or an error with the exact command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::{paths, progress};

/// The program `name` on PATH or in one of `folders`; installs the Debian package `package` if it
/// is in neither and we may.
pub(crate) fn find_or_install(
    name: &str,
    package: &str,
    folders: impl Fn() -> Vec<PathBuf>,
) -> anyhow::Result<PathBuf> {
    if let Some(found) = find(name, folders()) {
        return Ok(found);
    }
    install(name, package)?;
    match find(name, folders()) {
        Some(found) => Ok(found),
        None => bail!("{package} is installed, but {name} is still nowhere to be found"),
    }
}

fn find(name: &str, folders: Vec<PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

pub(crate) fn install(name: &str, package: &str) -> anyhow::Result<()> {
    let command = format!("apt-get install --yes --no-install-recommends {package}");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("{name} is missing: install {package} with this system's package manager");
    }
    let Some(prefix) = find_privilege() else {
        bail!("{name} is missing: run `sudo {command}`");
    };
    let log = paths::logs().join(format!("apt-{package}.log"));
    let script = format!("{prefix}apt-get update --quiet && {prefix}{command}");
    progress::run(
        &format!("installing {package}"),
        Command::new("sh")
            .args(["-c", &script])
            .env("DEBIAN_FRONTEND", "noninteractive"),
        &log,
    )
}

/// What to put before a command that needs root: nothing for root itself, `sudo` where it asks no
/// password, `None` where there is no way.
fn find_privilege() -> Option<&'static str> {
    if nix::unistd::geteuid().is_root() {
        return Some("");
    }
    let sudo = Command::new("sudo")
        .args(["--non-interactive", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    sudo.is_ok_and(|status| status.success())
        .then_some("sudo --non-interactive ")
}
