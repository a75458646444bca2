//! Operator's commands beside a running origin: `revoke` revokes what that origin's list is about,
//! whatever its own settings are; `list verify` asks it as an edge does.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sqlx::Row;
use tempfile::TempDir;

const ISSUER: &str = "https://origin.example";
const EDGE_SECRET: &str = "the secret of an edge in a test";
const PATIENCE: Duration = Duration::from_secs(20);
const TOKEN_SECS: i64 = 7200;
const LEEWAY_SECS: i64 = shared::LEEWAY_SECS.cast_signed();

/// An origin that has published a list, with settings that no other process is told.
struct Serving {
    process: Child,
    url: String,
}

impl Serving {
    fn start(data_dir: &Path) -> Self {
        let mut process = portcullis(data_dir)
            .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .args(["--issuer", ISSUER])
            .args(["--access-token-secs", &TOKEN_SECS.to_string()])
            .args(["--edge-secret", EDGE_SECRET])
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.as_mut().unwrap());
        let url = log.lines().find_map(|line| {
            let line = line.unwrap();
            let (_, url) = line.split_once("listening on ")?;
            Some(url.split('"').next()?.to_owned())
        });
        let url = url.expect("it ended before it listened");
        Self { process, url }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test ended with, its process ends with it; it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn portcullis(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env_clear().env("PORTCULLIS_DATA_DIR", data_dir);
    command
}

fn revoke(data_dir: &Path, settings: &[&str]) -> Output {
    portcullis(data_dir)
        .args(settings)
        .args(["revoke", "--scope", "session", "--name", "a-session"])
        .args(["--reason", "a test"])
        .output()
        .unwrap()
}

#[tokio::test]
async fn a_revocation_without_settings_is_by_the_published_issuer_and_lifetime() {
    let data = TempDir::new().unwrap();
    let _serving = Serving::start(data.path());
    let revoked = revoke(data.path(), &[]);
    assert!(revoked.status.success(), "{revoked:?}");
    let (issuer, kept_millis) = find_revocation(data.path()).await;
    assert_eq!(issuer, ISSUER);
    let needed_millis = (TOKEN_SECS + LEEWAY_SECS) * 1000;
    assert!(
        (needed_millis..needed_millis + 60_000).contains(&kept_millis),
        "{kept_millis}"
    );
}

#[test]
fn a_revocation_for_another_issuer_than_the_published_one_is_refused_with_both_names() {
    let data = TempDir::new().unwrap();
    let _serving = Serving::start(data.path());
    let refused = revoke(data.path(), &["--issuer", "https://other.example"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    for name in [ISSUER, "https://other.example"] {
        assert!(said.contains(name), "{name} is not named: {said}");
    }
    let agreed = revoke(data.path(), &["--issuer", ISSUER]);
    assert!(agreed.status.success(), "{agreed:?}");
}

fn verify(data_dir: &Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = portcullis(data_dir)
        .args(["list", "verify", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), found)
}

#[test]
fn list_verify_says_by_its_exit_code_whether_all_agree() {
    let data = TempDir::new().unwrap();
    let serving = Serving::start(data.path());
    assert!(revoke(data.path(), &[]).status.success());
    let url = serving.url.clone();
    let lane = ["--edge-secret", EDGE_SECRET, "--origin", &url];
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (code, found) = verify(data.path(), &lane);
        assert_eq!((code, &found["agrees"]), (Some(0), &true.into()), "{found}");
        assert_eq!(found["lanes"][0]["lane"], "pull");
        // It is not late while it is on its way.
        if found["lanes"][0]["entries"] == 1 {
            break;
        }
        assert!(Instant::now() < deadline, "{found}");
    }

    drop(serving);
    let (code, found) = verify(data.path(), &lane);
    assert_eq!((code, &found["agrees"]), (Some(1), &false.into()));
    assert_eq!(found["findings"][0]["code"], "pull_unreachable");
    assert!(found["findings"][0]["remedy"].is_string());

    for misuse in [&[][..], &["--origin", "nowhere"], &["--unknown"]] {
        assert_eq!(verify(data.path(), misuse).0, Some(2), "{misuse:?}");
    }
}

/// The issuer of the one revocation, and for how long it is kept.
async fn find_revocation(data_dir: &Path) -> (String, i64) {
    let file = std::fs::read_dir(data_dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ext| ext == "sqlite"))
        .unwrap();
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    let row = sqlx::query("SELECT issuer, retain_until - recorded_at AS kept FROM revocations")
        .fetch_one(&pool)
        .await
        .unwrap();
    (row.get("issuer"), row.get("kept"))
}
