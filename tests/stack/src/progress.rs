//! Tells a person what is going on and for how long, once it takes longer than they like to wait
//! in silence. Writes to stderr only, so that stdout stays for results.

use std::fs::{self, File};
use std::future::Future;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const SILENCE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(100);
/// Without a terminal every line stays in a log, so they come less often.
const LINE_EVERY: Duration = Duration::from_secs(15);
const TAIL_BYTES: u64 = 2500;

/// One task that may take long. Says nothing in its first two seconds.
#[derive(Debug)]
pub struct Progress<'a> {
    label: &'a str,
    started: Instant,
    last_line: Option<Instant>,
    terminal: bool,
}

impl<'a> Progress<'a> {
    #[must_use]
    pub fn start(label: &'a str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            label,
            started: Instant::now(),
            last_line: None,
            terminal,
        }
    }

    /// Shows the task and its time, if it is due; `detail` is the newest thing known about it.
    pub fn tick(&mut self, detail: &str) {
        let due = match self.last_line {
            None => self.started.elapsed() >= SILENCE,
            Some(last) => self.terminal || last.elapsed() >= LINE_EVERY,
        };
        if !due {
            return;
        }
        self.last_line = Some(Instant::now());
        let line = format!(
            "  … {}, {} s  {detail}",
            self.label,
            self.started.elapsed().as_secs()
        );
        if self.terminal {
            eprint!("\r\x1b[2K{}", line.chars().take(100).collect::<String>());
        } else {
            eprintln!("{}", line.trim_end());
        }
    }

    /// Closes the line, if there was one.
    pub fn finish(self) {
        if self.last_line.is_none() {
            return;
        }
        let start = if self.terminal { "\r\x1b[2K" } else { "" };
        eprintln!(
            "{start}  · {}: {:.0} s",
            self.label,
            self.started.elapsed().as_secs_f64()
        );
    }
}

/// Runs a command to its end with its output in `log`; a failure carries the end of that log.
pub fn run(label: &str, command: &mut Command, log: &Path) -> anyhow::Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .with_context(|| format!("{label}: cannot start {program}"))?;
    let mut progress = Progress::start(label);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(TICK);
        progress.tick(last_line(&tail(log)));
    };
    progress.finish();
    if !status.success() {
        bail!(
            "{label} failed ({status}); the end of {}:\n{}",
            log.display(),
            tail(log)
        );
    }
    Ok(())
}

/// Awaits a future, showing the task meanwhile.
pub async fn during<F: Future>(label: &str, future: F) -> F::Output {
    let mut progress = Progress::start(label);
    let mut ticks = tokio::time::interval(TICK);
    tokio::pin!(future);
    loop {
        tokio::select! {
            output = &mut future => {
                progress.finish();
                return output;
            }
            _ = ticks.tick() => progress.tick(""),
        }
    }
}

/// The last few lines of a log, or why they cannot be read.
#[must_use]
pub fn tail(log: &Path) -> String {
    read_tail(log).unwrap_or_else(|error| format!("({}: {error})", log.display()))
}

fn read_tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole_lines = match text.split_once('\n') {
        Some((_, rest)) if length > TAIL_BYTES => rest,
        _ => &text,
    };
    Ok(whole_lines.trim_end().to_owned())
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default().trim()
}

/// A finished step of something that a person follows.
pub fn done(line: &str) {
    println!("  ✓ {line}");
    // A closed stdout is the reader's choice, and no reason to stop.
    drop(std::io::stdout().flush());
}
