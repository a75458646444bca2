//! `portcullis revoke` beside a running origin: it revokes what that origin's list is about, whatever
//! its own settings are.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use sqlx::Row;
use tempfile::TempDir;

const ISSUER: &str = "https://origin.example";
const TOKEN_SECS: i64 = 7200;
const LEEWAY_SECS: i64 = shared::LEEWAY_SECS.cast_signed();

/// An origin that has published a list, with settings that no other process is told.
struct Serving(Child);

impl Serving {
    fn start(data_dir: &Path) -> Self {
        let mut process = portcullis(data_dir)
            .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .args(["--issuer", ISSUER])
            .args(["--access-token-secs", &TOKEN_SECS.to_string()])
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.as_mut().unwrap());
        let listens = |line: std::io::Result<String>| line.unwrap().contains("listening on ");
        assert!(log.lines().any(listens), "it ended before it listened");
        Self(process)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test ended with, its process ends with it; it may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
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
