//! What the numbers were measured on, and which cores the measured and the measuring may use.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Clock ticks a second in `/proc`: the kernel's `USER_HZ`, 100 on every platform of workerd's.
const TICKS_PER_SEC: f64 = 100.0;

pub(super) fn describe() -> String {
    // Not those that this process is left with.
    let cores = fs::read_to_string("/proc/cpuinfo").map_or(0, |text| {
        text.lines()
            .filter(|line| line.starts_with("processor"))
            .count()
    });
    let model = find_line("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".into());
    let memory_kib: u64 = find_line("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or_default();
    let gib = memory_kib / 1024 / 1024;
    format!("{cores} cores, {model}, {gib} GiB")
}

/// How busy the machine is with other work: its load average over the last minute.
pub(super) fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// `2026-11-24`, in UTC.
pub(super) fn today() -> String {
    let today = time::OffsetDateTime::now_utc().date();
    format!(
        "{}-{:02}-{:02}",
        today.year(),
        u8::from(today.month()),
        today.day()
    )
}

/// The processor time that a process used so far, in seconds.
pub(super) fn cpu_secs(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field, the program's name in brackets, may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SEC)
}

/// Which core serves and which one asks, so that neither takes the other's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pinning {
    Apart,
    /// One core, or no `taskset`: the kernel decides.
    None,
}

impl Pinning {
    /// Moves this process to the second core, if it can.
    pub(super) fn arrange() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let moved = Command::new("taskset")
            .args(["-c", "-p", "1", &std::process::id().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match moved {
            Ok(status) if status.success() && cores > 1 => Self::Apart,
            _ => Self::None,
        }
    }

    /// A command that runs `program` on the first core.
    pub(super) fn command(self, program: &Path) -> Command {
        match self {
            Self::Apart => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(program);
                command
            }
            Self::None => Command::new(program),
        }
    }
}

fn find_line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
