//! What a script needs to know of a running dev stack, as one JSON file.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use stack::{Postgres, Redis, System};

/// Appears as a whole or not at all, readable by its owner only: it holds passwords.
pub(crate) fn write(path: &Path, system: &mut System) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&describe(system))?;
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        writeln!(file, "{text}")?;
        fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("cannot write the ready file {}", path.display()))
}

fn describe(system: &mut System) -> Value {
    let credentials = &system.credentials;
    json!({
        "origin": system.origin.url(),
        "edge": system.edge.url(),
        "database_url": system.database_url,
        "redis_url": system.redis_url,
        "mailbox": system.origin.settings().mailbox(),
        "operator": {
            "email": credentials.operator_email,
            "password": credentials.operator_password,
        },
        "client": { "id": credentials.client_id, "secret": credentials.client_secret },
        "pids": {
            "origin": system.origin.process().id(),
            "wrangler": system.edge.process().id(),
            "postgres": system.postgres.as_mut().map(Postgres::process).map(|process| process.id()),
            "redis": system.redis.as_mut().map(Redis::process).map(|process| process.id()),
        },
    })
}
