//! The origin as a process: the built `portcullis`, its port, its data folder, its environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::process::Process;
use crate::{paths, poll};

const PATIENCE: Duration = Duration::from_secs(90);

/// How to run the origin's binary: the same for `serve` and for the operator's commands.
#[derive(Debug, Clone)]
pub struct OriginSettings {
    pub port: u16,
    pub data: PathBuf,
    pub log: PathBuf,
    /// The `portcullis` to run. `None`: `PORTCULLIS_BIN`, or what cargo built last in this checkout's
    /// debug profile.
    pub binary: Option<PathBuf>,
    /// Environment variables as the README documents them.
    pub environment: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Origin {
    process: Process,
    settings: OriginSettings,
}

impl OriginSettings {
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder that its mails are put into.
    #[must_use]
    pub fn mailbox(&self) -> PathBuf {
        self.data.join("mail")
    }

    /// Runs one of the operator's commands; returns what it printed on stdout.
    pub fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut child = self
            .command()?
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the origin")?;
        if let Some(mut stdin) = child.stdin.take() {
            use std::io::Write;
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!(
                "portcullis {} failed ({}): {words}",
                arguments.join(" "),
                output.status
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Like `run`, for commands that print JSON.
    pub fn run_json(&self, arguments: &[&str], input: &str) -> anyhow::Result<Value> {
        let text = self.run(arguments, input)?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }

    fn command(&self) -> anyhow::Result<Command> {
        let binary = self.binary.clone().unwrap_or_else(default_binary);
        ensure!(
            binary.is_file(),
            "no {}: build it with `cargo build -p origin`",
            binary.display()
        );
        let mut command = Command::new(binary);
        command
            .env("PORTCULLIS_DATA_DIR", &self.data)
            .env("PORTCULLIS_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("PORTCULLIS_MAIL_DIR", self.mailbox())
            // Here every user is the same address.
            .env("PORTCULLIS_REGISTRATIONS_PER_HOUR", "100000")
            // A developer's own stores and mail server are used only where a stack was told to.
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .env_remove("PORTCULLIS_SMTP_URL")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

impl Origin {
    pub async fn start(settings: OriginSettings) -> anyhow::Result<Self> {
        let process = serve(&settings)?;
        let mut origin = Self { process, settings };
        origin.wait_until_ready().await?;
        Ok(origin)
    }

    #[must_use]
    pub fn url(&self) -> String {
        self.settings.url()
    }

    #[must_use]
    pub fn settings(&self) -> &OriginSettings {
        &self.settings
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

    /// Starts again on the same port and data, after `process().kill()` or `stop()`.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.stop();
        self.process = serve(&self.settings)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let url = format!("{}/health/ready", self.url());
        poll::until("the origin is ready", PATIENCE, async || {
            self.process.check_alive()?;
            let answer = reqwest::get(&url).await;
            Ok(answer
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(()))
        })
        .await
        .with_context(|| format!("see {}", self.process.log().display()))
    }
}

fn serve(settings: &OriginSettings) -> anyhow::Result<Process> {
    let mut command = settings.command()?;
    command.arg("serve");
    Process::start("origin", &mut command, &settings.log, Signal::SIGTERM)
}

fn default_binary() -> PathBuf {
    std::env::var_os("PORTCULLIS_BIN")
        .map_or_else(|| paths::target().join("debug/portcullis"), PathBuf::from)
}
