//! What a process and everything that it started use: Postgres and uvicorn serve with children.
//! Read from `/proc`; knows nothing of what runs in them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;

use crate::bench::machine::cpu_secs;

/// The processor time of each member of a tree, in seconds.
#[derive(Debug)]
pub(super) struct CpuTimes {
    root: u32,
    secs: BTreeMap<u32, f64>,
}

impl CpuTimes {
    pub(super) fn read(root: u32) -> anyhow::Result<Self> {
        let times = members(root)?
            .into_iter()
            .filter_map(|process| Some((process, cpu_secs(process)?)));
        Ok(Self {
            root,
            secs: times.collect(),
        })
    }

    /// What the tree has used since. Members that ended meanwhile are left out: services keep
    /// theirs, and Postgres's live as long as the pools.
    pub(super) fn secs_since(&self) -> anyhow::Result<f64> {
        let now = Self::read(self.root)?;
        let used = |(process, secs): (&u32, &f64)| {
            secs - self.secs.get(process).copied().unwrap_or_default()
        };
        Ok(now.secs.iter().map(used).sum())
    }
}

/// The process and its descendants that are alive now.
fn members(root: u32) -> anyhow::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile is nobody's child.
        if let Some(parent) = parent(process) {
            parents.push((process, parent));
        }
    }
    let mut members = vec![root];
    let mut at = 0;
    while let Some(&member) = members.get(at) {
        let children = parents.iter().filter(|(_, parent)| *parent == member);
        members.extend(children.map(|(process, _)| *process));
        at += 1;
    }
    Ok(members)
}

/// Resident memory in MiB, now and at its highest, summed over the members: pages that they share
/// count for each of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    pub(super) now_mib: f64,
    pub(super) peak_mib: f64,
}

pub(super) fn memory(root: u32) -> anyhow::Result<Memory> {
    let (mut now_kib, mut peak_kib) = (0, 0);
    for process in members(root)? {
        let status = fs::read_to_string(format!("/proc/{process}/status"))
            .with_context(|| format!("process {process} has ended"))?;
        now_kib += field(&status, "VmRSS:").unwrap_or_default();
        peak_kib += field(&status, "VmHWM:").unwrap_or_default();
    }
    Ok(Memory {
        now_mib: f64::from(now_kib) / 1024.0,
        peak_mib: f64::from(peak_kib) / 1024.0,
    })
}

fn field(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    field(&status, "PPid:")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_belongs_to_the_tree() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let found = members(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&child.id()), "{found:?}");
    }
}
