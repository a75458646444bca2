//! One process that we started: in a group of its own, its output in a log, ended as a group when
//! dropped. Knows nothing of what runs in it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::{progress, reaper};

/// How long a process may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(8);
const STEP: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop_signal: Signal,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command`; `stop_signal` is the one on which it ends in good order.
    pub fn start(
        name: &'static str,
        command: &mut Command,
        log: &Path,
        stop_signal: Signal,
    ) -> anyhow::Result<Self> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}: {program}"))?;
        let process = Self {
            name,
            child,
            log: log.to_path_buf(),
            stop_signal,
            ended: None,
        };
        reaper::watch(process.id(), stop_signal)?;
        Ok(process)
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its process id, which is its group's too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it did. What it left behind in its group is ended too.
    pub fn find_exit(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.signal(Signal::SIGKILL);
            self.close(status);
        }
        self.ended
    }

    /// An error with the end of the log if it has ended.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        match self.find_exit() {
            None => Ok(()),
            Some(status) => bail!(
                "{} ended ({status}); the end of {}:\n{}",
                self.name,
                self.log.display(),
                progress::tail(&self.log)
            ),
        }
    }

    /// Ends it at once, without a chance to tidy up.
    pub fn kill(&mut self) {
        self.end_with(Signal::SIGKILL);
    }

    /// Ends it in good order, or by force when that takes too long.
    pub fn stop(&mut self) {
        self.end_with(self.stop_signal);
    }

    fn end_with(&mut self, signal: Signal) {
        if self.find_exit().is_some() {
            return;
        }
        self.signal(signal);
        let deadline = Instant::now() + PATIENCE;
        while self.find_exit().is_none() {
            if Instant::now() > deadline {
                self.signal(Signal::SIGKILL);
            }
            std::thread::sleep(STEP);
        }
    }

    fn signal(&self, signal: Signal) {
        // The only failure is that the group has ended, which is what a signal is for.
        let _ = killpg(Pid::from_raw(self.id().cast_signed()), signal);
    }

    fn close(&mut self, status: ExitStatus) {
        self.ended = Some(status);
        // Without its shell nothing would outlive us longer than it must: there is no more to do.
        drop(reaper::forget(self.id(), self.stop_signal));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
