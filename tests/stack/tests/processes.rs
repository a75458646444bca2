//! The promise that everything else leans on: what a stack started ends with it, however it ends.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use stack::{Durability, Postgres, Process, Redis};

const PATIENCE: Duration = Duration::from_secs(90);
/// Set for the copy of this test binary that is to be killed.
const VICTIM: &str = "STACK_TEST_VICTIM";

fn is_alive(group: u32) -> bool {
    killpg(Pid::from_raw(group.cast_signed()), None).is_ok()
}

async fn wait_until_ended(group: u32) {
    stack::until("the group ends", PATIENCE, async || {
        Ok((!is_alive(group)).then_some(()))
    })
    .await
    .unwrap();
}

fn start_pair(log: &Path) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & sleep 600"]);
    Process::start("pair", &mut command, log, Signal::SIGTERM).unwrap()
}

#[tokio::test]
async fn a_dropped_process_takes_its_children_along() {
    let folder = tempfile::tempdir().unwrap();
    let pair = start_pair(&folder.path().join("log"));
    let group = pair.id();
    assert!(is_alive(group));
    drop(pair);
    wait_until_ended(group).await;
}

#[tokio::test]
async fn a_process_that_ended_is_told_with_the_end_of_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo the reason; exit 3"]);
    let log = folder.path().join("log");
    let mut process = Process::start("short", &mut command, &log, Signal::SIGTERM).unwrap();
    stack::until("it ends", PATIENCE, async || Ok(process.find_exit()))
        .await
        .unwrap();
    let error = process.check_alive().unwrap_err().to_string();
    assert!(error.contains("the reason"), "{error}");
}

/// Only does something as the copy that `nothing_outlives_an_owner_killed_at_once` starts.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else {
        return;
    };
    let folder = Path::new(&folder);
    let pair = start_pair(&folder.join("log"));
    std::fs::write(folder.join("group.new"), pair.id().to_string()).unwrap();
    std::fs::rename(folder.join("group.new"), folder.join("group")).unwrap();
    loop {
        std::thread::park();
    }
}

#[tokio::test]
async fn nothing_outlives_an_owner_killed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim"])
        .env(VICTIM, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let group = stack::until("the owner started its process", PATIENCE, async || {
        Ok(std::fs::read_to_string(folder.path().join("group")).ok())
    })
    .await
    .unwrap();
    let group: u32 = group.parse().unwrap();
    assert!(is_alive(group));
    kill(Pid::from_raw(owner.id().cast_signed()), Signal::SIGKILL).unwrap();
    owner.wait().unwrap();
    stack::until("the group ends", PATIENCE, async || {
        Ok((!is_alive(group)).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn postgres_keeps_its_data_over_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(folder.path(), Durability::AsInProduction)
        .await
        .unwrap();
    postgres.create_database("kept").unwrap();
    postgres
        .query("kept", "CREATE TABLE t AS SELECT 42 AS answer")
        .unwrap();
    postgres.process().kill();
    assert!(postgres.query("kept", "SELECT 1").is_err());
    postgres.restart().await.unwrap();
    assert_eq!(
        postgres.query("kept", "SELECT answer FROM t").unwrap(),
        "42"
    );
}

#[tokio::test]
async fn redis_comes_back_empty_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = Redis::start(folder.path()).await.unwrap();
    redis.command(&["SET", "key", "value"]).unwrap();
    assert_eq!(redis.command(&["KEYS", "*"]).unwrap(), ["key"]);
    redis.process().kill();
    assert!(redis.command(&["PING"]).is_err());
    redis.restart().await.unwrap();
    assert!(redis.command(&["KEYS", "*"]).unwrap().is_empty());
}
