//! The list in workerd, built as the edge is: the same profile, the same optimiser.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use list_bench::{Answer, Command};
use nix::sys::signal::Signal;
use stack::{Process, paths, port, progress};

use crate::bench::machine::{self, Pinning};
use crate::bench::workerd::{COMPATIBILITY_DATE, find_program};
use crate::tools;

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);
/// A check of ten million texts is the longest that is asked.
const MAX_ANSWER: Duration = Duration::from_mins(2);
const MODULES: [(&str, &str); 2] = [("index.js", "esModule"), ("index_bg.wasm", "wasm")];

/// The built Worker.
#[derive(Debug)]
pub(super) struct Bundle(PathBuf);

pub(super) fn build() -> anyhow::Result<Bundle> {
    let tools = tools::install()?;
    let folder = paths::target().join("bench/list");
    progress::run(
        "building the Worker that asks lists",
        Program::new(&tools.worker_build)
            .args(["--release", "--out-dir"])
            .arg(&folder)
            .arg("tests/bench/list")
            .current_dir(paths::workspace())
            .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
            .env("WASM_OPT_BIN", &tools.wasm_opt)
            .env("ESBUILD_BIN", &tools.esbuild),
        &paths::logs().join("bench-list-worker.log"),
    )?;
    Ok(Bundle(folder))
}

#[derive(Debug)]
pub(super) struct Workerd {
    process: Process,
    http: reqwest::Client,
    url: String,
}

impl Workerd {
    pub(super) async fn start(bundle: &Bundle, pinning: Pinning) -> anyhow::Result<Self> {
        let port = port::find_free()?;
        let file = bundle.0.join("list.capnp");
        fs::write(&file, config(port))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = pinning.command(&find_program()?);
        command.arg("serve").arg(&file);
        let log = paths::logs().join("bench-list-workerd.log");
        let process = Process::start("workerd", &mut command, &log, Signal::SIGTERM)?;
        let http = reqwest::Client::builder()
            .timeout(MAX_ANSWER)
            .no_proxy()
            // A connection each: workerd closes one that was idle for five seconds, and nobody here hears
            // of it while native code is being timed.
            .pool_max_idle_per_host(0)
            .build()?;
        let mut workerd = Self {
            process,
            http,
            url: format!("http://{}:{port}/", Ipv4Addr::LOCALHOST),
        };
        workerd.wait_until_ready().await?;
        Ok(workerd)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while let Err(refusal) = self.send(&Command::Rest, Vec::new()).await {
            self.process.check_alive()?;
            if Instant::now() > deadline {
                let log = self.process.log().display();
                return Err(refusal.context(format!("no answer from workerd, see {log}")));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The answer, and the time until it was there.
    pub(super) async fn send(
        &self,
        command: &Command,
        body: Vec<u8>,
    ) -> anyhow::Result<(Answer, Duration)> {
        let mut url: reqwest::Url = self.url.parse()?;
        url.set_query(Some(&serde_json::to_string(command)?));
        let request = self.http.post(url).body(body);
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let took = started.elapsed();
        if !status.is_success() {
            bail!("workerd answered {status}: {text}");
        }
        Ok((serde_json::from_str(&text)?, took))
    }

    pub(super) fn cpu_secs(&self) -> anyhow::Result<f64> {
        machine::cpu_secs(self.process.id()).context("workerd has no entry in /proc")
    }
}

fn config(port: u16) -> String {
    let modules =
        MODULES.map(|(file, kind)| format!("(name = \"{file}\", {kind} = embed \"{file}\")"));
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "list", worker = .list)],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "list")],
);

const list :Workerd.Worker = (
  modules = [{}],
  compatibilityDate = "{COMPATIBILITY_DATE}",
);
"#,
        modules.join(", ")
    )
}
