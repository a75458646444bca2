//! How the `FastAPI` peer is run: as its makers advise for speed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use stack::paths;

use super::service::peers;

/// One for each core of the machine that the table is made on.
const WORKERS: usize = 2;
const PACKAGES: [&str; 7] = [
    "fastapi",
    "uvicorn",
    "uvloop",
    "sqlalchemy",
    "asyncpg",
    "redis",
    "python-jose",
];

/// The environment with the pinned packages; made on the first run.
pub(super) fn install() -> anyhow::Result<PathBuf> {
    stack::install_python_packages(&paths::target().join("bench/python"), &requirements())
}

/// `connections` to Postgres over all workers.
pub(super) fn command(address: SocketAddr, connections: usize) -> anyhow::Result<Command> {
    let mut command = Command::new(install()?.join("uvicorn"));
    command
        .args(["app:app", "--loop", "uvloop", "--http", "httptools"])
        .args(["--no-access-log", "--log-level", "warning"])
        .args(["--workers", &WORKERS.to_string()])
        .args(["--host", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .current_dir(folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SECRET_KEY", stack::generate_secret()?)
        .env("POOL_SIZE", (connections / WORKERS).to_string());
    Ok(command)
}

/// Its packages and their versions, as pinned.
pub(super) fn describe() -> anyhow::Result<String> {
    let pinned = std::fs::read_to_string(requirements())?;
    let packages: Vec<String> = PACKAGES
        .into_iter()
        .map(|package| {
            let prefix = format!("{package}==");
            let line = pinned.lines().find_map(|line| line.strip_prefix(&prefix));
            let version = line.with_context(|| format!("{package} is not pinned"))?;
            Ok(format!(
                "{package} {}",
                version.trim_end_matches([' ', '\\'])
            ))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(format!("{WORKERS} workers; {}", packages.join(", ")))
}

fn folder() -> PathBuf {
    peers().join("fastapi")
}

fn requirements() -> PathBuf {
    folder().join("requirements.txt")
}
