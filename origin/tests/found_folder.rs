//! What a command does on the folder that it finds: one that is fresh, that others may write to, or
//! where the database is none.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn portcullis(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env_clear().env("PORTCULLIS_DATA_DIR", data_dir);
    command
}

#[test]
fn a_data_folder_that_others_may_write_is_refused_with_the_command_that_mends_it() {
    let data = TempDir::new().unwrap();
    set_mode(data.path(), 0o777);
    let refused = portcullis(data.path()).arg("migrate").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("chmod o-w {}", data.path().display())),
        "{said}"
    );
    set_mode(data.path(), 0o775);
    let taken = portcullis(data.path()).arg("migrate").output().unwrap();
    assert!(taken.status.success(), "{taken:?}");
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
