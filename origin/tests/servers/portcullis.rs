//! `portcullis` with nothing in its environment but what a test gives it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const NOT_RUN: &[u8] = b"NOT RUN beside servers of its own: use `cargo xtask test`\n";

/// Where servers may be started; otherwise it is said that the test was not run.
pub(crate) fn may_start_servers() -> bool {
    let may = std::env::var_os("TEST_DATABASE_URL").is_some();
    if !may {
        // Not `eprintln!`, which a test that passes keeps to itself.
        std::io::stderr().write_all(NOT_RUN).unwrap();
    }
    may
}

/// One origin's folder and settings.
pub(crate) struct Portcullis {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Portcullis {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            settings: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_str().unwrap().to_owned();
        self.settings.push((name.to_owned(), value));
        self
    }

    fn command(&self) -> Command {
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

    /// Until it listens.
    pub(crate) fn serve(&self) -> Serving {
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
        // Somebody has to read on, or a full pipe would hold it up.
        std::thread::spawn(move || log.for_each(drop));
        Serving { process, url }
    }
}

pub(crate) struct Serving {
    process: Child,
    url: String,
}

impl Serving {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test ended with, its process ends with it; it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
