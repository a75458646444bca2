//! One Worker in a workerd of its own, run directly: no wrangler and no proxy before it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::header::HeaderValue;
use nix::sys::signal::Signal;
use stack::{Process, paths, port};

use super::bundle::Bundle;
use super::worker::Surroundings;
use crate::bench::load::Load;
use crate::bench::machine::{self, Pinning};
use crate::bench::workerd::find_program;

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Workerd {
    process: Process,
    pub(super) server: SocketAddr,
    /// From the start of the process to the first 200.
    pub(super) first_response: Duration,
}

impl Workerd {
    /// Starts the Worker and waits until it answers a live token with 200.
    pub(super) async fn start(
        bundle: &Bundle,
        around: &Surroundings,
        pinning: Pinning,
        credential: &HeaderValue,
    ) -> anyhow::Result<Self> {
        let port = port::find_free()?;
        let config = bundle.worker.config(&bundle.modules, port, around);
        let file = bundle.folder.join("worker.capnp");
        fs::write(&file, config).with_context(|| format!("cannot write {}", file.display()))?;
        let log = paths::logs().join(format!("bench-{}.log", bundle.worker.id()));
        // A log of the run before would hide this one's.
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let mut command = pinning.command(&find_program()?);
        command.arg("serve").arg(&file);
        let started = Instant::now();
        let mut process = Process::start("workerd", &mut command, &log, Signal::SIGTERM)?;
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        wait_for_success(&mut process, server, credential).await?;
        Ok(Self {
            process,
            server,
            first_response: started.elapsed(),
        })
    }

    /// The processor time used so far, by all of the process.
    pub(super) fn cpu_secs(&self) -> anyhow::Result<f64> {
        machine::cpu_secs(self.process.id()).context("workerd has no entry in /proc")
    }
}

async fn wait_for_success(
    process: &mut Process,
    server: SocketAddr,
    credential: &HeaderValue,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let once = Load {
        server,
        path: "/me",
        credentials: std::slice::from_ref(credential),
        connections: 1,
        max_requests: 1,
        max_time: PATIENCE,
    };
    while let Err(refusal) = once.run().await {
        process.check_alive()?;
        if Instant::now() > deadline {
            bail!(
                "no 200 from the Worker, see {}: {refusal:#}",
                process.log().display()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
