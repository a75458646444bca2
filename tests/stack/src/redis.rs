//! A private Redis on a free port on loopback, in memory only.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;

use crate::certificate::Certificate;
use crate::process::Process;
use crate::{apt, poll, port};

const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: PathBuf,
    log: PathBuf,
    port: u16,
    /// What the server was told beside its port.
    settings: Vec<String>,
}

impl Redis {
    /// Starts an empty server; its log goes into `logs`.
    pub async fn start(logs: &Path) -> anyhow::Result<Self> {
        Self::start_with(logs, Vec::new()).await
    }

    /// Starts one that speaks TLS on a second port; answers that port as well.
    pub async fn start_with_tls(
        logs: &Path,
        certificate: &Certificate,
    ) -> anyhow::Result<(Self, u16)> {
        let port = port::find_free()?;
        let file = |path: PathBuf| path.display().to_string();
        let settings = [
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", file(certificate.chain())),
            ("--tls-key-file", file(certificate.key())),
            ("--tls-ca-cert-file", file(certificate.authority())),
            ("--tls-auth-clients", "no".to_owned()),
        ];
        let settings = settings.map(|(name, value)| [name.to_owned(), value]);
        let redis = Self::start_with(logs, settings.concat()).await?;
        Ok((redis, port))
    }

    async fn start_with(logs: &Path, settings: Vec<String>) -> anyhow::Result<Self> {
        let program = apt::find_or_install("redis-server", "redis-server", Vec::new)?;
        let log = logs.join("redis.log");
        let port = port::find_free()?;
        let process = run_server(&program, &log, port, &settings)?;
        let mut redis = Self {
            process,
            program,
            log,
            port,
            settings,
        };
        redis.wait_until_ready().await?;
        Ok(redis)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts again on the same port, empty, after `process().kill()` or `stop()`.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.stop();
        self.process = run_server(&self.program, &self.log, self.port, &self.settings)?;
        self.wait_until_ready().await
    }

    /// Sends one command and returns its reply, flattened into its values.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "*{}\r\n", words.len())?;
        for word in words {
            write!(stream, "${}\r\n{word}\r\n", word.len())?;
        }
        read_reply(&mut BufReader::new(stream))
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        poll::until("Redis answers a PING", PATIENCE, async || {
            self.process.check_alive()?;
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok())
        })
        .await?;
        self.command(&["PING"]).map(drop)
    }
}

fn run_server(
    program: &Path,
    log: &Path,
    port: u16,
    settings: &[String],
) -> anyhow::Result<Process> {
    let mut command = Command::new(program);
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .args(settings)
        .current_dir(std::env::temp_dir());
    Process::start("redis", &mut command, log, Signal::SIGTERM)
}

/// RESP, version 2: the first byte of a line names its type.
fn read_reply(stream: &mut impl BufRead) -> anyhow::Result<Vec<String>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let rest = line.get(1..).unwrap_or_default().trim_end();
    match line.chars().next() {
        Some('+' | ':') => Ok(vec![rest.to_owned()]),
        Some('$') if rest == "-1" => Ok(Vec::new()),
        Some('$') => {
            let mut bytes = vec![0; rest.parse::<usize>()? + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Ok(vec![String::from_utf8_lossy(&bytes).into_owned()])
        }
        Some('*') => {
            let count = rest.parse::<usize>().context("an array without a length")?;
            let mut values = Vec::new();
            for _ in 0..count {
                values.extend(read_reply(stream)?);
            }
            Ok(values)
        }
        _ => bail!("Redis answered {line:?}"),
    }
}
