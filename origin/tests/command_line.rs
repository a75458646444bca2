//! The operator's command line as a process: `revoke` and `list verify` beside a running origin, the
//! life of a client, a lost password, what `doctor` finds, and who may read the files. What holds for
//! every command is in `command_table`.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Row;
use tempfile::TempDir;

const ISSUER: &str = "https://origin.example";
const EDGE_SECRET: &str = "the secret of an edge in a test";
const PATIENCE: Duration = Duration::from_secs(90);
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

async fn open_database(data_dir: &Path) -> sqlx::AnyPool {
    let file = data_dir.join("portcullis.sqlite");
    sqlx::any::install_default_drivers();
    sqlx::AnyPool::connect(&format!("sqlite:{}", file.display()))
        .await
        .unwrap()
}

#[test]
fn an_operator_makes_lists_disables_and_deletes_a_user_and_the_log_tells() {
    let data = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let output = portcullis(data.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let email = ["--email", "ada@example.org"];
    let made = run(&[&["user", "create", "--role", "editor"], &email[..]].concat());
    assert_eq!(made["password"].as_str().unwrap().len(), 43);
    let why = ["--reason", "a test", "--json"];
    let changed = run(&[&["user", "roles", "--remove", "editor"], &email[..], &why].concat());
    assert_eq!(changed["roles"], json!([]));
    assert_eq!(changed["revocation"]["scope"], "user");
    let disabled = run(&[&["user", "disable"], &email[..], &why].concat());
    assert_eq!(disabled["id"], made["id"]);
    let listed = run(&["user", "list", "--json"]);
    assert!(listed[0]["disabled_at"].is_string(), "{listed}");
    run(&[&["user", "enable"], &email[..], &why].concat());
    run(&[
        &["user", "delete", "--id", made["id"].as_str().unwrap()],
        &why[..],
    ]
    .concat());
    assert_eq!(run(&["user", "list", "--json"]), json!([]));
    let page = run(&["audit", "--actor", "command-line", "--json"]);
    let events = page["events"].as_array().unwrap();
    let registered = events.iter().find(|event| event["event"] == "registered");
    assert_eq!(registered.unwrap()["reason"], "roles: editor");
    let mut names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "registered",
            "revoked",
            "roles_changed",
            "user_deleted",
            "user_disabled",
            "user_enabled"
        ]
    );
    assert_eq!(run(&["mail", "list", "--all", "--json"]), json!([]));
}

#[test]
fn a_command_about_nobody_is_misuse_and_says_so() {
    let data = TempDir::new().unwrap();
    for arguments in [
        &[
            "user",
            "disable",
            "--email",
            "eve@example.org",
            "--reason",
            "x",
        ][..],
        &["user", "delete", "--id", "nobody", "--reason", "x"],
        &[
            "user",
            "disable",
            "--email",
            "not an address",
            "--reason",
            "x",
        ],
        &["user", "disable", "--reason", "x"],
        &["user", "roles", "--id", "nobody", "--reason", "x"],
        &["mail", "retry", "nothing"],
        &["audit", "--event", "nothing"],
    ] {
        let output = portcullis(data.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_reader_who_has_enough_is_no_failure_but_a_lost_secret_is_one() {
    let data = TempDir::new().unwrap();
    let made = ["user", "create", "--email", "ada@example.org"];
    for (arguments, code) in [(&made[..], 1), (&["user", "list"], 0)] {
        let (gone, pipe) = std::io::pipe().unwrap();
        drop(gone);
        let output = portcullis(data.path())
            .args(arguments)
            .stdout(pipe)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{output:?}");
    }
}

/// The issuer of the one revocation, and for how long it is kept.
async fn find_revocation(data_dir: &Path) -> (String, i64) {
    let pool = open_database(data_dir).await;
    let row = sqlx::query("SELECT issuer, retain_until - recorded_at AS kept FROM revocations")
        .fetch_one(&pool)
        .await
        .unwrap();
    (row.get("issuer"), row.get("kept"))
}

/// Runs to the end; answers its exit code, stdout and stderr.
fn run(data_dir: &Path, settings: &[&str]) -> (Option<i32>, String, String) {
    let output = portcullis(data_dir).args(settings).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_help_says_what_the_exit_codes_mean() {
    let data = TempDir::new().unwrap();
    let (_, help, _) = run(data.path(), &["--help"]);
    assert!(help.contains("Exit codes: 0 "), "{help}");
}

#[test]
fn a_client_is_made_listed_given_a_new_secret_and_disabled() {
    let data = TempDir::new().unwrap();
    let json = |line: &[&str]| -> serde_json::Value {
        let (code, out, err) = run(data.path(), line);
        assert_eq!(code, Some(0), "{line:?}: {err}");
        serde_json::from_str(&out).unwrap()
    };
    let create = [
        "client",
        "create",
        "--id",
        "reports",
        "--grant",
        "client_credentials",
        "--scope",
        "reports:read",
    ];
    let made = json(&create);
    let rotated = json(&["client", "rotate-secret", "reports"]);
    assert_ne!(made["client_secret"], rotated["client_secret"]);
    let listed = json(&["client", "list", "--json"]);
    assert_eq!(listed[0]["scopes"], serde_json::json!(["reports:read"]));
    assert!(!listed.to_string().contains("secret"), "{listed}");
    let disabled = json(&[
        "client", "disable", "reports", "--reason", "a test", "--json",
    ]);
    assert_eq!(disabled["sessions_closed"], 0);
    assert!(json(&["client", "list", "--json"])[0]["disabled_at"].is_string());
    for misuse in [
        &create[..],
        &["client", "rotate-secret", "reports"],
        &["client", "disable", "nobody", "--reason", "a test"],
        &["client", "disable", "reports", "--reason", ""],
        &["client", "disable", "reports", "--reason", "a\ntest"],
        &["client", "disable", "reports", "--reason", &"x".repeat(501)],
        &["client", "create", "--id", "a b"],
        &["client", "create", "--id", "x", "--grant", "magic"],
    ] {
        let (code, _, err) = run(data.path(), misuse);
        assert_eq!(code, Some(2), "{misuse:?}: {err}");
    }
}

#[test]
fn why_a_client_or_a_key_was_changed_is_in_the_log_if_it_was_said() {
    let data = TempDir::new().unwrap();
    let rotate = ["keys", "rotate", "--json", "--reason", "yearly"];
    let (code, out, err) = run(data.path(), &rotate);
    assert_eq!(code, Some(0), "{err}");
    let rotated: Value = serde_json::from_str(&out).unwrap();
    let kid = rotated["kid"].as_str().unwrap();
    for line in [
        &["client", "create", "--id", "app", "--reason", "a new app"][..],
        &["client", "rotate-secret", "app", "--reason", "it leaked"],
        &["client", "rotate-secret", "app"],
        &["keys", "revoke", kid, "--reason", "it leaked, too"],
    ] {
        let (code, _, err) = run(data.path(), line);
        assert_eq!(code, Some(0), "{line:?}: {err}");
    }
    for line in [
        &["client", "create", "--id", "other"][..],
        &["client", "rotate-secret", "app"],
        &["keys", "rotate"],
        &["keys", "revoke", kid],
    ] {
        let line = [line, &["--reason", "two\nlines"]].concat();
        let (code, _, err) = run(data.path(), &line);
        assert_eq!(code, Some(2), "{line:?}: {err}");
    }
    let (_, log, _) = run(data.path(), &["audit", "--json"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    let mut told: Vec<(&str, Option<&str>)> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), event["reason"].as_str()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("client_created", Some("a new app")),
            ("client_secret_replaced", None),
            ("client_secret_replaced", Some("it leaked")),
            ("key_revoked", Some("it leaked, too")),
            ("key_rotated", Some("yearly")),
        ]
    );
}

#[test]
fn doctor_says_of_each_part_what_is_wrong_and_what_to_do() {
    let data = TempDir::new().unwrap();
    let doctor = |settings: &[&str]| {
        let (code, out, err) = run(data.path(), &[settings, &["doctor", "--json"]].concat());
        let findings: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap_or_default();
        (code, findings, err)
    };
    let state = |findings: &[serde_json::Value], part: &str| {
        let found = findings.iter().find(|finding| finding["part"] == part);
        found.map(|finding| finding["state"].as_str().unwrap().to_owned())
    };
    let (code, findings, err) = doctor(&[]);
    assert_eq!(code, Some(0), "{findings:?} {err}");
    assert_eq!(state(&findings, "schema").as_deref(), Some("doubtful"));
    assert_eq!(run(data.path(), &["migrate"]).0, Some(0));
    let (_, findings, _) = doctor(&[]);
    assert_eq!(state(&findings, "schema").as_deref(), Some("ok"));
    assert!(
        findings
            .iter()
            .all(|finding| finding["state"] == "ok" || finding["advice"].is_string())
    );

    for (setting, part) in [
        ("--database-url=postgres://x@127.0.0.1:1/x", "database"),
        ("--redis-url=redis://127.0.0.1:1", "redis"),
        ("--kv-api-url=http://127.0.0.1:1", "kv"),
    ] {
        let settings = [setting, "--kv-namespace-id=lists"];
        let settings = if part == "kv" {
            &settings[..]
        } else {
            &settings[..1]
        };
        let (code, findings, err) = doctor(settings);
        assert_eq!(code, Some(1), "{part} {findings:?}");
        assert_eq!(state(&findings, part).as_deref(), Some("broken"));
        assert!(err.contains(part), "{err}");
    }
    assert_eq!(doctor(&["--listen=nowhere"]).0, Some(2));
}

#[test]
fn doctor_misses_a_lost_key_and_makes_none() {
    let data = TempDir::new().unwrap();
    let keys = || -> BTreeSet<_> {
        let files = std::fs::read_dir(data.path()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "pem"))
            .collect()
    };
    let state = || {
        let (_, out, err) = run(data.path(), &["doctor", "--json"]);
        let findings: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        let findings = findings.as_array().unwrap().clone();
        let of_keys = findings.iter().find(|finding| finding["part"] == "keys");
        of_keys.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "doubtful");
    assert!(keys().is_empty());
    assert_eq!(run(data.path(), &["keys", "show"]).0, Some(0));
    let made = keys();
    assert_eq!((made.len(), state().as_str()), (2, "ok"));
    for lost in &made {
        let text = std::fs::read(lost).unwrap();
        std::fs::remove_file(lost).unwrap();
        assert_eq!(state(), "doubtful", "{}", lost.display());
        assert_eq!(keys().len(), 1);
        std::fs::write(lost, text).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(lost, owner_only).unwrap();
    }
}

#[tokio::test]
async fn serve_refuses_a_schema_that_is_newer_than_it_knows() {
    let data = TempDir::new().unwrap();
    assert_eq!(run(data.path(), &["migrate"]).0, Some(0));
    let pool = open_database(data.path()).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', TRUE, X'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let (code, _, err) = run(data.path(), &["--listen=127.0.0.1:0", "serve"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("9999"), "{err}");
    let (code, out, _) = run(data.path(), &["doctor", "--json"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("newer than this program"), "{out}");
}

#[test]
fn a_lost_password_is_replaced_by_one_that_is_made_or_read_and_never_an_argument() {
    let data = TempDir::new().unwrap();
    let who = ["--email", "ada@example.org", "--reason", "a test"];
    let set = |more: &[&str], input: &str| {
        let mut command = portcullis(data.path());
        command.args(["user", "set-password"]).args(who).args(more);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    let made = run(data.path(), &["user", "create", "--email", who[1]]);
    assert_eq!(made.0, Some(0), "{made:?}");
    let made = set(&["--json"], "");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["password"].as_str().unwrap().len(), 43);
    assert_eq!(made["revocation"]["scope"], "user");
    let read = set(&["--password-stdin", "--json"], "correct horse of a test\n");
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert!(read["password"].is_null(), "{read}");
    for (more, input) in [
        (&["--password-stdin"][..], "password"),
        (&["--password", "correct horse of a test"], ""),
    ] {
        assert_eq!(set(more, input).status.code(), Some(2), "{more:?}");
    }
    let (_, log, _) = run(data.path(), &["audit", "--event", "password_set", "--json"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["events"].as_array().unwrap().len(), 2, "{log}");
    assert_eq!(log["events"][0]["actor"], "command-line");
}

/// Watched while the origin makes them, with a umask that would let everybody read and write.
#[test]
fn nobody_else_may_read_what_is_made_not_even_for_a_moment() {
    let data = TempDir::new().unwrap();
    let ended = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_modes(data.path(), &ended));
        let create = ["user", "create", "--email", "ada@example.org"];
        let mut shell = Command::new("/bin/sh");
        let made = shell
            .args(["-c", "umask 000; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_portcullis"))
            .args(create)
            .env_clear()
            .env("PORTCULLIS_DATA_DIR", data.path())
            .output();
        ended.store(true, Ordering::Relaxed);
        assert!(made.unwrap().status.success());
        watcher.join().unwrap()
    });
    for name in ["portcullis.sqlite", "portcullis.sqlite-wal", "list-key.pem"] {
        assert_eq!(
            seen.get(name),
            Some(&BTreeSet::from([0o600])),
            "{name} {seen:?}"
        );
    }
    assert!(
        seen.values().all(|modes| *modes == BTreeSet::from([0o600])),
        "{seen:?}"
    );
}

/// Every mode that any file of the folder ever had, by its name.
fn watch_modes(folder: &Path, ended: &AtomicBool) -> BTreeMap<String, BTreeSet<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let mut seen = BTreeMap::<_, BTreeSet<u32>>::new();
    while !ended.load(Ordering::Relaxed) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            // One that is gone by now had its mode looked at before, or never will.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_file() {
                let name = entry.file_name().into_string().unwrap();
                let mode = metadata.permissions().mode() & 0o777;
                seen.entry(name).or_default().insert(mode);
            }
        }
    }
    seen
}

#[test]
fn nobody_else_may_read_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let data = TempDir::new().unwrap();
    let _serving = Serving::start(data.path());
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
        }
    }
}
