//! A process and those that it started, standing still: their connections stay open and nobody
//! answers, as on a machine that froze. They go on when this is dropped.

use std::fs;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[derive(Debug)]
#[must_use]
pub struct Standstill(Vec<Pid>);

impl Standstill {
    /// The process first, so that it starts no other meanwhile.
    pub fn begin(process_id: u32) -> anyhow::Result<Self> {
        let parent = Pid::from_raw(process_id.cast_signed());
        let mut standstill = Self(Vec::new());
        standstill.halt(parent)?;
        for child in find_children(parent)? {
            standstill.halt(child)?;
        }
        Ok(standstill)
    }

    fn halt(&mut self, process: Pid) -> anyhow::Result<()> {
        kill(process, Signal::SIGSTOP).with_context(|| format!("cannot stop process {process}"))?;
        self.0.push(process);
        Ok(())
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        for process in &self.0 {
            // The only failure is that it was killed meanwhile.
            let _ = kill(*process, Signal::SIGCONT);
        }
    }
}

/// Those whose parent it is (`proc_pid_stat(5)`, the second field after the name).
fn find_children(parent: Pid) -> anyhow::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list processes")? {
        let path = entry?.path();
        let id = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        // Those that end meanwhile have nothing to be read.
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ppid = after_name.split_whitespace().nth(1);
        if let Some(id) = id
            && ppid == Some(parent.to_string().as_str())
        {
            children.push(Pid::from_raw(id));
        }
    }
    Ok(children)
}
