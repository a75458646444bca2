//! The built `portcullis` as a process: how it starts, how it refuses to, and how it ends.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::net::TcpSocket;

const EDGE_SECRET: &str = "the secret of an edge in a test";
/// For what has to happen; a machine may be slow.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest that a pull may ask for.
const A_PULL_HANGS: Duration = Duration::from_secs(30);

/// `portcullis` with nothing of the developer's environment.
fn portcullis(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .env_clear()
        .env("PORTCULLIS_DATA_DIR", data_dir)
        .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
        .env("PORTCULLIS_ISSUER", "https://origin.example")
        .env("PORTCULLIS_EDGE_SECRET", EDGE_SECRET);
    command
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

struct Serving {
    process: Child,
    url: String,
    /// Until it listened.
    said: String,
    log: BufReader<ChildStderr>,
}

impl Serving {
    fn start(command: &mut Command) -> Self {
        let mut process = command.arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("listening on ") {
            assert_ne!(
                log.read_line(&mut said).unwrap(),
                0,
                "it ended before it listened: {said}"
            );
        }
        let url = said.split("listening on ").nth(1).unwrap();
        let url = url.split(['"', '\n']).next().unwrap().to_owned();
        Self {
            process,
            url,
            said,
            log,
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).unwrap();
    }

    /// Its exit code, `None` if a signal ended it.
    fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.trim_start_matches("http://")).unwrap()
    }

    /// The whole answer, head and body.
    fn get_text(&self, path: &str) -> String {
        let mut socket = self.connect();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        std::io::read_to_string(socket).unwrap()
    }

    /// How many requests for `path` were answered, once that number stays the same for a while.
    fn answers_once_they_stop(&self, path: &str) -> usize {
        let label = format!("route=\"{path}\"");
        let deadline = Instant::now() + PATIENCE;
        let mut looks = vec![0; 10];
        while looks.iter().any(|&count| count == 0 || count != looks[0]) {
            assert!(Instant::now() < deadline, "{looks:?}");
            std::thread::sleep(Duration::from_millis(50));
            let metrics = self.get_text("/metrics");
            let count = metrics.lines().find_map(|line| {
                let counts = line.starts_with("portcullis_http_requests_total");
                (counts && line.contains(&label)).then(|| line.rsplit(' ').next()?.parse().ok())?
            });
            looks.remove(0);
            looks.push(count.unwrap_or_default());
        }
        looks[0]
    }

    /// In order, and not because the time for requests was over.
    fn ends_without_cutting_off(&mut self) {
        self.signal(Signal::SIGTERM);
        self.finishes_without_cutting_off();
    }

    /// The same, once it was asked to end.
    fn finishes_without_cutting_off(&mut self) {
        assert_eq!(self.wait(), Some(0));
        let log = self.rest_of_log();
        assert!(!log.contains("cut off"), "{log}");
    }

    fn rest_of_log(&mut self) -> String {
        std::io::read_to_string(&mut self.log).unwrap()
    }

    async fn pull(&self, query: &str) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/revocations/head?{query}", self.url);
        reqwest::Client::new()
            .get(url)
            .bearer_auth(EDGE_SECRET)
            .send()
            .await
    }

    /// Pulls until a list newer than `version` is there, and answers with its version.
    async fn pull_newer_than(&self, version: u64) -> u64 {
        let query = format!("after={version}&wait={}", A_PULL_HANGS.as_secs());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.pull(&query).await.unwrap();
            if answer.status() == StatusCode::OK {
                let header = answer.headers()["portcullis-list-version"].to_str();
                return header.unwrap().parse().unwrap();
            }
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            assert!(Instant::now() < deadline, "no list came");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test ended with, its process ends with it; it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn list_show(data_dir: &Path) -> serde_json::Value {
    let output = portcullis(data_dir)
        .args(["list", "show", "--json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn revoke(data_dir: &Path, name: &str) {
    let mut command = portcullis(data_dir);
    command.args([
        "revoke", "--scope", "session", "--name", name, "--reason", "a test",
    ]);
    let (code, log) = run(&mut command);
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn a_hanging_pull_ends_at_once_with_204_and_the_exit_code_is_0() {
    let data = TempDir::new().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut serving = Serving::start(&mut portcullis(data.path()));
        let held = serving.pull_newer_than(0).await;
        let query = format!("after={held}&wait={}", A_PULL_HANGS.as_secs());
        let asked = Instant::now();
        let pull = serving.pull(&query);
        let end = async {
            // The pull is under way once the origin counts it.
            wait_for_waiter(&serving.url).await;
            serving.signal(signal);
        };
        let (answer, ()) = tokio::join!(pull, end);
        assert_eq!(answer.unwrap().status(), StatusCode::NO_CONTENT);
        assert!(asked.elapsed() < A_PULL_HANGS, "its wait was over anyway");
        serving.finishes_without_cutting_off();
    }
}

async fn wait_for_waiter(url: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = reqwest::get(format!("{url}/metrics"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        if metrics.contains("portcullis_pull_waiters 1") {
            return;
        }
        assert!(Instant::now() < deadline, "the pull never hung: {metrics}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn what_was_revoked_just_before_the_end_is_published() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    let before = list_show(data.path())["version"].as_u64().unwrap();
    revoke(data.path(), "a session");
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.wait(), Some(0));
    let shown = list_show(data.path());
    assert_eq!(shown["unpublished"], 0, "{shown}");
    assert!(shown["version"].as_u64().unwrap() > before);
    assert_eq!(shown["tail_bytes"], 9);
}

#[tokio::test]
async fn what_was_revoked_while_the_origin_was_dead_is_published_at_its_start() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    let held = serving.pull_newer_than(0).await;
    serving.signal(Signal::SIGKILL);
    assert_eq!(serving.wait(), None);
    revoke(data.path(), "a session");
    assert_eq!(list_show(data.path())["unpublished"], 1);

    let serving = Serving::start(&mut portcullis(data.path()));
    assert!(serving.pull_newer_than(held).await > held);
    assert_eq!(list_show(data.path())["unpublished"], 0);
}

#[test]
fn killed_again_and_again_it_loses_nothing_and_never_goes_back() {
    const ROUNDS: u64 = 6;
    let data = TempDir::new().unwrap();
    let mut newest = 0;
    for round in 0..ROUNDS {
        let mut serving = Serving::start(&mut portcullis(data.path()));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for name in ["a", "b"] {
                    revoke(data.path(), &format!("{name}{round}"));
                }
            });
            // Another moment of publishing each time.
            std::thread::sleep(Duration::from_millis(40 * round));
            serving.signal(Signal::SIGKILL);
        });
        assert_eq!(serving.wait(), None);
        let version = list_show(data.path())["version"].as_u64().unwrap();
        assert!(version >= newest, "{version} after {newest}");
        newest = version;
    }
    let _serving = Serving::start(&mut portcullis(data.path()));
    let shown = list_show(data.path());
    assert_eq!(shown["unpublished"], 0, "{shown}");
    assert_eq!(
        shown["tail_bytes"],
        9 * 2 * ROUNDS,
        "each of them once: {shown}"
    );
}

#[tokio::test]
async fn a_revocation_from_the_command_line_reaches_a_waiting_edge() {
    let data = TempDir::new().unwrap();
    let serving = Serving::start(&mut portcullis(data.path()));
    let held = serving.pull_newer_than(0).await;
    let pull = serving.pull_newer_than(held);
    let folder = data.path().to_owned();
    let revocation = tokio::task::spawn_blocking(move || revoke(&folder, "a session"));
    let (newer, revoked) = tokio::join!(pull, revocation);
    revoked.unwrap();
    assert!(newer > held);
}

#[test]
fn those_who_connect_and_say_nothing_do_not_hold_up_the_end() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    let address = serving.url.trim_start_matches("http://").to_owned();
    let silent = TcpStream::connect(&address).unwrap();
    // A whole request on a connection that is then kept: the other one was accepted before it.
    let mut kept = TcpStream::connect(&address).unwrap();
    kept.write_all(b"GET /health/live HTTP/1.1\r\nHost: o\r\n\r\n")
        .unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    serving.ends_without_cutting_off();
    drop(silent);
}

#[test]
fn half_a_request_does_not_hold_up_the_end_and_is_answered() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    let mut slow = half_a_login(&serving);
    serving.signal(Signal::SIGTERM);
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("body_broke_off"), "{answer}");
    serving.finishes_without_cutting_off();
}

#[test]
fn half_a_head_does_not_hold_up_the_end() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    let mut slow = serving.connect();
    slow.write_all(b"GET /health/live HTTP/1.1\r\nHos").unwrap();
    // Accepted after the slow one, so that one was accepted as well.
    assert!(serving.get_text("/health/live").starts_with("HTTP/1.1 200"));
    serving.ends_without_cutting_off();
}

#[test]
fn those_who_never_read_their_answers_do_not_hold_up_the_end() {
    // About 20 MB: more than the sockets on both sides take.
    const REQUESTS: usize = 400;
    let data = TempDir::new().unwrap();
    let mut command = portcullis(data.path());
    // A line for each request would fill the pipe that is read only at the end.
    command.env("PORTCULLIS_LOG", "origin::commands=info");
    let mut serving = Serving::start(&mut command);
    let deaf: Vec<TcpStream> = (0..3).map(|_| serving.connect()).collect();
    for mut socket in &deaf {
        let request = b"GET /openapi.json HTTP/1.1\r\nHost: o\r\n\r\n";
        socket.write_all(&request.repeat(REQUESTS)).unwrap();
    }
    let answered = serving.answers_once_they_stop("/openapi.json");
    assert!(answered < REQUESTS * deaf.len(), "{answered}: they all fit");
    serving.ends_without_cutting_off();
}

/// A request whose body never comes, once the origin has begun to wait for it.
fn half_a_login(serving: &Serving) -> TcpStream {
    let address = serving.url.trim_start_matches("http://");
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"POST /login HTTP/1.1\r\nHost: o\r\nContent-Type: application/json\r\n")
        .unwrap();
    slow.write_all(b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    let mut invitation = [0; 25];
    slow.read_exact(&mut invitation).unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(b"{").unwrap();
    slow
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let data = TempDir::new().unwrap();
    let mut serving = Serving::start(&mut portcullis(data.path()));
    // It keeps the first end waiting.
    let _slow = half_a_login(&serving);
    // Both are there when it goes on: on a slow machine the first end might be over before the second.
    serving.signal(Signal::SIGSTOP);
    serving.signal(Signal::SIGTERM);
    serving.signal(Signal::SIGINT);
    serving.signal(Signal::SIGCONT);
    assert_eq!(serving.wait(), Some(1));
    let log = serving.rest_of_log();
    assert!(log.contains("ending at once"), "{log}");
    assert!(!log.contains("cut off"), "{log}");
}

#[test]
fn every_mistake_in_the_configuration_is_named_at_once() {
    let data = TempDir::new().unwrap();
    let mut command = portcullis(data.path());
    command
        .env("PORTCULLIS_LISTEN", "nowhere")
        .env("PORTCULLIS_HEARTBEAT_SECS", "0")
        .env("PORTCULLIS_SIGNING_ALG", "HS256")
        .env("REDIS_URL", "http://x");
    let (code, log) = run(command.arg("serve"));
    assert_eq!(code, Some(2), "{log}");
    for variable in [
        "PORTCULLIS_LISTEN",
        "PORTCULLIS_HEARTBEAT_SECS",
        "PORTCULLIS_SIGNING_ALG",
        "REDIS_URL",
    ] {
        assert!(log.contains(variable), "{variable} is not named in:\n{log}");
    }
}

#[test]
fn a_revocation_that_makes_no_sense_is_a_mistake_on_the_command_line() {
    let data = TempDir::new().unwrap();
    for arguments in [
        &["--scope", "planet", "--name", "x", "--reason", "r"][..],
        &[
            "--scope", "user", "--name", "x", "--before", "tomorrow", "--reason", "r",
        ],
        &["--scope", "session", "--name", "", "--reason", "r"],
        &["--scope", "session", "--name", "x", "--reason", ""],
        &["--scope", "session", "--name", "x"],
    ] {
        let (code, log) = run(portcullis(data.path()).arg("revoke").args(arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {log}");
    }
}

#[test]
fn a_list_that_was_never_published_cannot_be_shown() {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("not there yet");
    let (code, log) = run(portcullis(&folder).args(["list", "show"]));
    assert_eq!(code, Some(1));
    assert!(log.contains("no list has been published yet"), "{log}");
}

#[test]
fn a_bad_key_or_log_filter_is_a_mistake_in_the_configuration() {
    let data = TempDir::new().unwrap();
    for (variable, value) in [
        ("PORTCULLIS_SIGNING_KEY", "not a key"),
        ("PORTCULLIS_LIST_KEY", "not a key"),
        ("PORTCULLIS_LOG", "origin=shouting"),
    ] {
        let (code, log) = run(portcullis(data.path()).env(variable, value).arg("serve"));
        assert_eq!(code, Some(2), "{log}");
        assert!(
            log.contains(variable) && !log.contains("not a key:"),
            "{log}"
        );
    }
}

/// An address where nobody listens, and nobody else can begin to while the socket is there.
fn silent_address() -> (TcpSocket, String) {
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    (taken, address)
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let data = TempDir::new().unwrap();
    let (_taken, silent) = silent_address();
    let url = format!("postgres://someone:hunter2@{silent}/x");
    let (code, log) = run(portcullis(data.path())
        .env("DATABASE_URL", url)
        .arg("serve"));
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("DATABASE_URL") && log.contains(&silent),
        "{log}"
    );
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn a_redis_that_is_away_is_named_without_its_password_and_the_origin_serves() {
    let data = TempDir::new().unwrap();
    let (_taken, silent) = silent_address();
    let url = format!("redis://:hunter2@{silent}/");
    let mut serving = Serving::start(portcullis(data.path()).env("REDIS_URL", url));
    let ready = reqwest::get(format!("{}/health/ready", serving.url)).await;
    let ready = ready.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    let ready: serde_json::Value = ready.json().await.unwrap();
    assert_ne!(ready["cache"], "ok", "{ready}");
    let said = &serving.said;
    assert!(
        said.contains("REDIS_URL") && said.contains(&silent),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_taken_port_is_an_error_that_changes_nothing() {
    let data = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = portcullis(data.path());
    let (code, log) = run(command.env("PORTCULLIS_LISTEN", &address).arg("serve"));
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("PORTCULLIS_LISTEN") && log.contains(&address),
        "{log}"
    );
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn keys_show_says_the_same_before_and_while_the_origin_serves() {
    let data = TempDir::new().unwrap();
    let show = || -> serde_json::Value {
        let output = portcullis(data.path()).args(["keys", "show"]).output();
        serde_json::from_slice(&output.unwrap().stdout).unwrap()
    };
    let before = show();
    let _serving = Serving::start(&mut portcullis(data.path()));
    let serving = show();
    for keys in ["token_keys", "list_keys"] {
        assert_eq!(serving[keys], before[keys]);
    }
    assert_eq!(before["token_keys"]["keys"][0]["alg"], "EdDSA");
    assert_ne!(before["token_keys"], before["list_keys"]);
    assert_eq!(serving["rotation"][0]["state"], "may_sign");
}
