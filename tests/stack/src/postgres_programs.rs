//! Postgres's programs on this machine, and the user who runs them.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use nix::unistd::{Gid, Uid, User, geteuid};

use crate::apt;

/// The folder of Postgres's programs and who runs them: Postgres refuses to run as root.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    pub(crate) user: Option<(Uid, Gid)>,
}

impl Programs {
    pub(crate) fn find() -> anyhow::Result<Self> {
        let initdb = apt::find_or_install("initdb", "postgresql", debian_folders)?;
        // Debian wraps some programs on PATH; the folder of the real one has all of them.
        let initdb = initdb.canonicalize()?;
        let folder = initdb
            .parent()
            .context("initdb lies in no folder")?
            .to_path_buf();
        Ok(Self {
            folder,
            user: find_user()?,
        })
    }

    /// One of them, not yet started.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.current_dir("/");
        if let Some((user, group)) = self.user {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }
}

/// Debian keeps one folder a version, none of them on PATH; the newest comes first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut numbered: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    numbered.sort();
    numbered
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}

/// For root: the user that the package made, or else the one who is nobody.
fn find_user() -> anyhow::Result<Option<(Uid, Gid)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some((user.uid, user.gid)));
        }
    }
    bail!("Postgres does not run as root, and this system has neither `postgres` nor `nobody`")
}
