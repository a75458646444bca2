//! The configuration that `wrangler dev` gets: that of `wrangler.toml`, with what a local run
//! needs changed. So what a developer tries is what is deployed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::paths;

/// The namespace that the binding `LIST` means locally.
pub(crate) const NAMESPACE_ID: &str = "portcullis-list";

/// What a local Worker needs to know beside `wrangler.toml`.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    pub port: u16,
    /// Logs, configuration and the local KV; made fresh.
    pub folder: PathBuf,
    /// The folder that `xtask build-edge` made.
    pub worker: PathBuf,
    /// Over those of `wrangler.toml`.
    pub vars: Map<String, Value>,
    pub secret: String,
}

/// Writes `wrangler.json` and `.dev.vars` and returns the path of the former.
pub(crate) fn write(settings: &EdgeSettings) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(&settings.folder)?;
    let config = build(settings)?;
    let path = settings.folder.join("wrangler.json");
    fs::write(&path, serde_json::to_vec_pretty(&config)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let secrets = format!("EDGE_SECRET={}\n", settings.secret);
    write_private(&settings.folder.join(".dev.vars"), &secrets)?;
    Ok(path)
}

fn build(settings: &EdgeSettings) -> anyhow::Result<Value> {
    let path = paths::workspace().join("wrangler.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let deployed: Map<String, Value> = toml::from_str(&text)?;
    let mut vars = deployed
        .get("vars")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    vars.extend(settings.vars.clone());
    let mut config = json!({
        "main": settings.worker.join("entry.js"),
        "kv_namespaces": [{ "binding": "LIST", "id": NAMESPACE_ID }],
        "vars": vars,
    });
    for member in ["name", "compatibility_date", "compatibility_flags"] {
        if let Some(value) = deployed.get(member) {
            config[member] = value.clone();
        }
    }
    Ok(config)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}
