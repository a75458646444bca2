//! The examples of README.md, run from top to bottom as they stand there, against a stack of their own.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use e2e::start_private;
use serde_json::json;
use stack::{System, paths};

/// Blocks that talk to a running origin, or prepare those that do.
const MARKS: [&str; 2] = ["localhost:8085", "PORTCULLIS_DATA_DIR="];
const FEWEST_BLOCKS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_readme_does_what_the_readme_says() {
    let verifying = |plan: &mut stack::Plan| {
        let setting = ("PORTCULLIS_VERIFY_EMAIL".to_owned(), "on".to_owned());
        plan.origin_environment.push(setting);
    };
    let world = start_private("readme", verifying).await.unwrap();
    let readme = paths::workspace().join("README.md");
    let folder = paths::target().join("e2e/readme");
    let text = std::fs::read_to_string(&readme).unwrap();
    let blocks = keep_lines_of_blocks(&text);
    let script = folder.join("examples.sh");
    std::fs::write(&script, rename(&blocks, &world.system, &folder)).unwrap();
    let credentials = &world.system.credentials;
    let operator = json!({
        "email": credentials.operator_email,
        "password": credentials.operator_password,
    });
    let ready = json!({ "operator": operator }).to_string();
    std::fs::write(folder.join("ready.json"), ready).unwrap();

    let output = tokio::task::spawn_blocking({
        let mut bash = bash(&script, &readme, &world.system);
        move || bash.output().unwrap()
    });
    let output = output.await.unwrap();
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{complaints}\n\n{said}");
}

/// The shell blocks that can be run here, each line at its own number; all other lines are empty. The
/// first line, which is a heading, becomes what all of them need.
fn keep_lines_of_blocks(readme: &str) -> String {
    let mut kept = vec![". \"$PRELUDE\"".to_owned()];
    let mut blocks = 0;
    let mut lines = readme.lines().skip(1);
    while let Some(line) = lines.next() {
        kept.push(String::new());
        if line != "```sh" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let is_run = MARKS.iter().any(|mark| block.join("\n").contains(mark));
        blocks += usize::from(is_run);
        kept.extend(block.iter().map(|line| {
            if is_run {
                (*line).to_owned()
            } else {
                String::new()
            }
        }));
        kept.push(String::new());
    }
    assert!(blocks >= FEWEST_BLOCKS, "{blocks} blocks");
    kept.join("\n") + "\n"
}

/// Ports and folders of this stack, for those that `cargo xtask dev` has.
fn rename(blocks: &str, system: &System, folder: &Path) -> String {
    let data = &system.origin.settings().data;
    blocks
        .replace("localhost:8085", &address(&system.origin.url()))
        .replace("localhost:8787", &address(&system.edge.url()))
        .replace("target/dev/8085/data", &data.display().to_string())
        .replace(
            "target/dev/ready.json",
            &folder.join("ready.json").display().to_string(),
        )
        .replace(
            "$PWD/target/debug",
            &paths::target().join("debug").display().to_string(),
        )
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

fn bash(script: &Path, readme: &Path, system: &System) -> Command {
    let mut bash = Command::new("bash");
    bash.arg(script)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env(
            "PRELUDE",
            paths::workspace().join("tests/e2e/readme/prelude.sh"),
        )
        .env("README", readme)
        .env("PORTCULLIS_LISTEN", address(&system.origin.url()))
        .env("NO_PROXY", Ipv4Addr::LOCALHOST.to_string());
    bash
}
