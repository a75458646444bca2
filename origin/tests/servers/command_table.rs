//! What holds for every command of `portcullis`, found by its own help: a new one is in these tests
//! by itself, and has to say in the table how it is called.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::portcullis::Portcullis;

const EDGE_SECRET: &str = "the secret of an edge in a test";
/// Nobody listens here.
const DEAD_DATABASE: &str = "--database-url=postgres://nobody@127.0.0.1:1/nothing";

/// One call of each, in an order in which they can follow each other. `{kid}`, `{id}`, `{mail}` and
/// `http://url.invalid` stand for what answers before had.
const CALLS: &[&[&str]] = &[
    &["migrate"],
    &["user", "create", "--email", "ada@example.org"],
    &[
        "user",
        "roles",
        "--email",
        "ada@example.org",
        "--add",
        "operator",
        "--reason",
        "x",
    ],
    &[
        "user",
        "set-password",
        "--email",
        "ada@example.org",
        "--reason",
        "x",
    ],
    &[
        "user",
        "disable",
        "--email",
        "ada@example.org",
        "--reason",
        "x",
    ],
    &[
        "user",
        "enable",
        "--email",
        "ada@example.org",
        "--reason",
        "x",
    ],
    &["user", "list"],
    &["mail", "list"],
    &["mail", "retry", "{mail}"],
    &["user", "delete", "--id", "{id}", "--reason", "x"],
    &["client", "create", "--id", "app", "--grant", "password"],
    &["client", "rotate-secret", "app"],
    &["client", "list"],
    &["client", "disable", "app", "--reason", "x"],
    &[
        "revoke",
        "--scope",
        "session",
        "--name",
        "a-session",
        "--reason",
        "x",
    ],
    &["list", "show"],
    &[
        "list",
        "verify",
        "--edge-secret",
        EDGE_SECRET,
        "--origin",
        "http://url.invalid",
    ],
    &["audit"],
    &["doctor"],
    &["keys", "show"],
    &["keys", "rotate"],
    &["keys", "revoke", "{kid}"],
];

#[test]
fn every_command_answers_json_when_asked_to() {
    // Its mail goes nowhere, so that there is some to list.
    let portcullis = Portcullis::new()
        .with("PORTCULLIS_EDGE_SECRET", EDGE_SECRET)
        .with("PORTCULLIS_SMTP_URL", "smtp://127.0.0.1:1")
        .with("PORTCULLIS_MAIL_FROM", "test@example.org");
    let serving = portcullis.serve();
    let mut known: Vec<(&str, String)> = vec![("http://url.invalid", serving.url(""))];
    for call in CALLS {
        let fill = |word: &&str| {
            let found = known.iter().find(|(name, _)| name == word);
            found.map_or_else(|| (*word).to_owned(), |(_, value)| value.clone())
        };
        let filled: Vec<String> = call.iter().map(fill).collect();
        let mut line: Vec<&str> = filled.iter().map(String::as_str).collect();
        line.push("--json");
        let output = portcullis.run(&line);
        // What it found may be bad, and 1 says so; what it prints is JSON all the same.
        let may_find = ["verify", "doctor"].iter().any(|word| call.contains(word));
        let code = output.status.code().unwrap();
        assert!(code == 0 || may_find && code == 1, "{line:?} {output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line:?} {error} {output:?}"));
        match call {
            ["user", "create", ..] => known.push(("{id}", text(&answer["id"]))),
            ["mail", "list"] => known.push(("{mail}", text(&answer[0]["id"]))),
            ["keys", "show"] => {
                known.push(("{kid}", text(&answer["token_keys"]["keys"][0]["kid"])));
            }
            _ => {}
        }
    }
    let called: BTreeSet<_> = CALLS.iter().map(|call| name(call)).collect();
    let mut there: BTreeSet<_> = leaves(&portcullis).into_iter().collect();
    // It answers nothing, it serves.
    assert!(there.remove("serve"));
    assert_eq!(called, there);
}

/// One name in 64 begins so, as names are base64url.
#[test]
fn every_command_that_takes_a_name_takes_one_that_begins_with_a_hyphen() {
    const NAMES: [&str; 5] = ["{id}", "{mail}", "{kid}", "app", "a-session"];
    let portcullis = Portcullis::new();
    let calls = CALLS
        .iter()
        .filter(|call| NAMES.iter().any(|name| call.contains(name)));
    let after = [
        &["user", "list", "--after", "{id}"][..],
        &["audit", "--cursor", "{id}"],
    ];
    for call in calls.copied().chain(after) {
        let line: Vec<&str> = call
            .iter()
            .map(|word| {
                if NAMES.contains(word) {
                    "--q3tNJnAPWqVJmNSiE4Qg"
                } else {
                    word
                }
            })
            .collect();
        let output = portcullis.run(&line);
        let said = String::from_utf8(output.stderr).unwrap();
        // Most name nobody, and that is what it should say, if anything.
        assert!(!said.contains("Usage:"), "{line:?} {said}");
    }
}

#[test]
fn every_command_shows_an_example_and_refuses_what_it_does_not_know_or_cannot_use() {
    let portcullis = Portcullis::new();
    for leaf in leaves(&portcullis) {
        let words: Vec<&str> = leaf.split(' ').collect();
        let help = portcullis.run(&[&words[..], &["--help"]].concat());
        let shown = String::from_utf8(help.stdout).unwrap();
        assert_eq!(help.status.code(), Some(0), "{leaf}");
        assert!(shown.contains("Example"), "{leaf} has no example");
        assert!(shown.contains("portcullis "), "{leaf} has no example");
        let has_json = shown.contains("\n      --json");
        assert!(
            has_json || leaf == "serve",
            "{leaf} has no --json:\n{shown}"
        );
        let unknown = portcullis.run(&[&words[..], &["--surely-unknown"]].concat());
        assert_eq!(unknown.status.code(), Some(2), "{leaf}");
        assert!(!unknown.stderr.is_empty() && unknown.stdout.is_empty());
        let call = CALLS.iter().find(|call| name(call) == leaf);
        let call = call.map_or(&words[..], |call| call);
        let wrong = portcullis.run(&[&["--listen=nowhere"], call].concat());
        let said = String::from_utf8(wrong.stderr).unwrap();
        assert_eq!(wrong.status.code(), Some(2), "{leaf} {said}");
        assert!(said.contains("PORTCULLIS_LISTEN"), "{leaf} {said}");
    }
}

#[test]
fn every_command_fails_with_1_and_a_reason_when_the_database_is_away() {
    let portcullis = Portcullis::new();
    let calls = CALLS.iter().copied().chain([&["serve"][..]]);
    std::thread::scope(|scope| {
        for call in calls {
            let portcullis = &portcullis;
            scope.spawn(move || {
                let output = portcullis.run(&[&[DEAD_DATABASE], call].concat());
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(1), "{call:?} {said}");
                assert!(
                    said.contains("127.0.0.1:1") || call == ["doctor"],
                    "{call:?} {said}"
                );
            });
        }
    });
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The words of a call that name its command.
fn name(call: &[&str]) -> String {
    let groups = ["user", "client", "keys", "list", "mail"];
    let count = if groups.contains(&call[0]) { 2 } else { 1 };
    call[..count].join(" ")
}

/// Every command that has none below it.
fn leaves(portcullis: &Portcullis) -> Vec<String> {
    let mut leaves = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(command) = open.pop() {
        let mut line: Vec<&str> = command.iter().map(String::as_str).collect();
        line.push("--help");
        let below = subcommands(&String::from_utf8(portcullis.run(&line).stdout).unwrap());
        if below.is_empty() {
            leaves.push(command.join(" "));
        }
        open.extend(
            below
                .into_iter()
                .map(|name| [command.clone(), vec![name]].concat()),
        );
    }
    assert!(leaves.len() > 20, "{leaves:?}");
    leaves
}

/// The first word of each line under "Commands:", but for `help`.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = lines.take_while(|line| !line.is_empty());
    let words = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = words.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
