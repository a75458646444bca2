//! `portcullis` with nothing in its environment but what a test gives it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// One origin's folder and settings.
pub(crate) struct Portcullis {
    folder: Arc<TempDir>,
    settings: Vec<(String, String)>,
}

impl Portcullis {
    pub(crate) fn new() -> Self {
        Self {
            folder: Arc::new(TempDir::new().unwrap()),
            settings: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_str().unwrap().to_owned();
        self.settings.push((name.to_owned(), value));
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .env_clear()
            .env("PORTCULLIS_DATA_DIR", self.folder.path())
            .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// What `doctor` found of one part.
    pub(crate) fn finding(&self, part: &str) -> Value {
        let output = self.run(&["doctor", "--json"]);
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        findings
            .into_iter()
            .find(|finding| finding["part"] == part)
            .unwrap()
    }

    /// Once it listens. What it logs is shown where the test fails.
    pub(crate) fn serve(&self) -> Serving {
        let mut serving = self.serve_unread();
        let log = serving.log.take().unwrap();
        std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                eprintln!("{line}");
            }
        });
        serving
    }

    /// Once it listens; nobody reads its log from then on.
    pub(crate) fn serve_unread(&self) -> Serving {
        let mut process = self
            .command()
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = log.by_ref().find_map(|line| {
            let line = line.unwrap();
            let url = line.split_once("listening on ");
            let url = url.map(|(_, url)| url.split('"').next().unwrap().to_owned());
            said.push(line);
            url
        });
        let url = url.unwrap_or_else(|| panic!("it ended before it listened: {said:#?}"));
        Serving {
            process,
            url,
            log: Some(log),
            _folder: Arc::clone(&self.folder),
        }
    }
}

pub(crate) struct Serving {
    process: Child,
    url: String,
    log: Option<Lines<BufReader<ChildStderr>>>,
    /// It is there as long as the process is.
    _folder: Arc<TempDir>,
}

impl Serving {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).unwrap();
    }

    /// The exit code, if it ends in time; `None` if a signal ended it.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<i32> {
        wait_for_end(&mut self.process, patience)
    }
}

/// As [`Serving::wait`].
pub(crate) fn wait_for_end(process: &mut Child, patience: Duration) -> Option<i32> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test ended with, its process ends with it; it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
