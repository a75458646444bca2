//! The origin that bytes are sent to, and what they did to it.

use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use super::door::{Door, doors};
use crate::portcullis::{Portcullis, Serving};
use crate::world::{PASSWORD, PATIENCE};

pub(super) const EDGE_SECRET: &str = "the secret of an edge in a test";
pub(super) const CLIENT_SECRET: &str = "the secret of a client";

/// One on embedded stores, with somebody who may enter at every door.
pub(super) struct Origin {
    portcullis: Portcullis,
    serving: Serving,
    pub(super) doors: Vec<Door>,
}

impl Origin {
    pub(super) async fn start() -> Self {
        let portcullis = Portcullis::new().with("PORTCULLIS_EDGE_SECRET", EDGE_SECRET);
        let make = [
            "user",
            "create",
            "--email",
            "op@example.org",
            "--role",
            "operator",
        ];
        portcullis.feed(&[&make[..], &["--password-stdin"]].concat(), PASSWORD);
        let make = [
            "client",
            "create",
            "--id",
            "app",
            "--grant",
            "password",
            "--introspect-all",
        ];
        portcullis.feed(&[&make[..], &["--secret-stdin"]].concat(), CLIENT_SECRET);
        let serving = portcullis.serve();
        let api: Value = get_json(&serving.url("/openapi.json")).await;
        let login = json!({"email": "op@example.org", "password": PASSWORD});
        let login = reqwest::Client::new()
            .post(serving.url("/login"))
            .json(&login);
        let tokens: Value = login.send().await.unwrap().json().await.unwrap();
        let doors = doors(&api, tokens["access_token"].as_str().unwrap());
        assert!(doors.len() > 25, "{}", doors.len());
        Self {
            portcullis,
            serving,
            doors,
        }
    }

    pub(super) fn send(&self, bytes: &[u8]) -> TcpStream {
        let address = self.serving.url("").replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may be refused, and the connection closed, before all of it was taken.
        let _ = stream.write_all(bytes);
        stream
    }

    /// Everything that was done; what failed to be done is none of it.
    pub(super) fn deeds(&self) -> Vec<Value> {
        let list = |line: &[&str]| {
            let output = self.portcullis.run(&[line, &["--json"]].concat());
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let mut audit = list(&["audit"]);
        audit["events"].as_array_mut().unwrap().retain(|event| {
            event["event"] != "client_authentication_failed" && event["event"] != "log_in_failed"
        });
        vec![
            list(&["user", "list"]),
            list(&["client", "list"]),
            list(&["mail", "list", "--all"]),
            audit,
        ]
    }
}

impl Portcullis {
    fn feed(&self, arguments: &[&str], input: &str) {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

async fn get_json(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}
