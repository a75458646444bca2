//! OAuth clients of other makers, as their users write them: the scripts in `clients/`. Each is given a
//! task as JSON, does what there is to do, and says what came of every step; it judges nothing.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;
use stack::paths;

/// Runs the script `clients/{name}` and returns its outcomes by step.
pub fn run_client(name: &str, task: &Value) -> anyhow::Result<Value> {
    let script = paths::workspace().join("tests/e2e/clients").join(name);
    let mut child = interpreter(&script)?
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut stdin = child.stdin.take().context("the client has no stdin")?;
    stdin.write_all(task.to_string().as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name} failed ({}): {words}",
        output.status
    );
    serde_json::from_slice(&output.stdout).with_context(|| format!("{name} printed no JSON"))
}

fn interpreter(script: &Path) -> anyhow::Result<Command> {
    if script
        .extension()
        .is_some_and(|extension| extension == "mjs")
    {
        return Ok(Command::new("node"));
    }
    let python = paths::client_environment().join("bin/python");
    ensure!(
        python.is_file(),
        "no {}: run `cargo xtask test e2e`",
        python.display()
    );
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Everything is on this machine, whatever proxy leads out of it.
        .env("NO_PROXY", "127.0.0.1");
    Ok(command)
}
