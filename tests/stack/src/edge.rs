//! The Worker as a process: `wrangler dev` with the built bundle, and its local KV.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

use crate::kv::Kv;
use crate::process::Process;
use crate::wrangler_config::{self, EdgeSettings};
use crate::{paths, poll, port};

const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug)]
pub struct Edge {
    process: Process,
    settings: EdgeSettings,
}

impl Edge {
    /// Starts workerd with the Worker; returns at once, see `wait_until_ready`.
    pub fn start(settings: EdgeSettings) -> anyhow::Result<Self> {
        let process = run_wrangler(&settings)?;
        Ok(Self { process, settings })
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.settings.port)
    }

    /// The local KV, by the API that is Cloudflare's in production.
    #[must_use]
    pub fn kv(&self) -> Kv {
        Kv::new(kv_api_url(self.settings.port))
    }

    /// What it has printed since the stack was started.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    #[must_use]
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Waits until the Worker answers anything at all.
    pub async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let url = format!("{}/.portcullis/status", self.url());
        poll::until("the Worker answers", PATIENCE, async || {
            self.process.check_alive()?;
            Ok(reqwest::get(&url).await.ok())
        })
        .await
        .map(drop)
        .with_context(|| format!("see {}", self.process.log().display()))
    }

    /// Starts again with the same KV: an isolate without a memory.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.stop();
        self.process = run_wrangler(&self.settings)?;
        self.wait_until_ready().await
    }
}

/// Where the origin finds the KV API of the Worker on `port`.
pub(crate) fn kv_api_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/cdn-cgi/explorer/api")
}

fn run_wrangler(settings: &EdgeSettings) -> anyhow::Result<Process> {
    let program = paths::npm_tool("wrangler");
    ensure!(
        program.is_file(),
        "no {}: run `cargo xtask build-edge`",
        program.display()
    );
    let entry = settings.worker.join("entry.js");
    ensure!(
        entry.is_file(),
        "no {}: run `cargo xtask build-edge`",
        entry.display()
    );
    let config = wrangler_config::write(settings)?;
    let mut command = Command::new(program);
    command
        .arg("dev")
        .arg("--config")
        .arg(&config)
        .args(["--ip", "127.0.0.1", "--port", &settings.port.to_string()])
        .args(["--inspector-port", &port::find_free()?.to_string()])
        .args(["--local", "--show-interactive-dev-session=false"])
        .arg("--persist-to")
        .arg(settings.folder.join("state"))
        .current_dir(&settings.folder)
        .env("CI", "1")
        .env("WRANGLER_SEND_METRICS", "false")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        // Or two stacks would see each other's Workers.
        .env("WRANGLER_REGISTRY_PATH", settings.folder.join("registry"))
        .env("WRANGLER_LOG_PATH", settings.folder.join("wrangler-logs"))
        .env("NO_COLOR", "1");
    Process::start(
        "wrangler",
        &mut command,
        &settings.folder.join("edge.log"),
        Signal::SIGTERM,
    )
}
