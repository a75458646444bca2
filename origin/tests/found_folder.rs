//! What a command does on the folder that it finds: one that is fresh, that others may write to, or
//! where the database is none.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

fn portcullis(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env_clear().env("PORTCULLIS_DATA_DIR", data_dir);
    command
}

#[test]
fn those_who_start_together_on_a_fresh_folder_all_find_the_schema_made() {
    let data = TempDir::new().unwrap();
    let starters: Vec<Child> = (0..6)
        .map(|_| {
            portcullis(data.path())
                .arg("migrate")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for starter in starters {
        let ended = starter.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
}

#[test]
fn a_data_folder_that_others_may_write_is_refused_with_the_command_that_mends_it() {
    let data = TempDir::new().unwrap();
    set_mode(data.path(), 0o777);
    let refused = portcullis(data.path()).arg("migrate").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains(&format!("chmod o-w {}", data.path().display())),
        "{said}"
    );
    set_mode(data.path(), 0o775);
    let taken = portcullis(data.path()).arg("migrate").output().unwrap();
    assert!(taken.status.success(), "{taken:?}");
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_none() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("notes.txt");
    std::fs::write(
        &file,
        "no database, but longer than the header of one: ".repeat(50),
    )
    .unwrap();
    let url = format!("sqlite:{}", file.display());
    let refused = portcullis(data.path())
        .args(["--database-url", &url, "migrate"])
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("file is not a database"), "{said}");
    assert!(said.contains("notes.txt"), "{said}");
}

/// A secret is shown once: where it could not be, whoever runs the command is told the way to another.
#[test]
fn a_secret_that_cannot_be_printed_is_not_lost_without_a_word() {
    let data = TempDir::new().unwrap();
    for (command, way) in [
        (
            ["user", "create", "--email", "ada@example.org"],
            "/password/forgot",
        ),
        (
            ["client", "create", "--id", "app"],
            "portcullis client rotate-secret app",
        ),
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let failed = portcullis(data.path())
            .args(command)
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8(failed.stderr).unwrap();
        assert_eq!(failed.status.code(), Some(1), "{said}");
        assert!(said.contains(way), "{said}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
