//! What no client library sends: bytes on a socket, at every route that `/openapi.json` has. Each is
//! answered with 4xx in a bounded time, or with what a sound request would get; nothing is half-done.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::portcullis::{Portcullis, Serving};
use crate::world::PATIENCE;

const PASSWORD: &str = "correct horse of a test";
const EDGE_SECRET: &str = "the secret of an edge in a test";
const CLIENT_SECRET: &str = "the secret of a client";

/// A route with a method, and how its caller authenticates.
#[derive(Debug)]
struct Door {
    method: String,
    path: String,
    /// The media type of its body, if it takes one.
    takes: Option<&'static str>,
    authorization: String,
    query: Vec<String>,
}

impl Door {
    fn head(&self, more: &str) -> String {
        self.head_of(&self.path, "HTTP/1.1", more)
    }

    fn head_of(&self, target: &str, version: &str, more: &str) -> String {
        let Self {
            method,
            authorization,
            ..
        } = self;
        format!(
            "{method} {target} {version}\r\nHost: origin\r\nConnection: close\r\n\
             Authorization: {authorization}\r\n{more}\r\n"
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_given_up_at_every_route() {
    let origin = Origin::start().await;
    let before = origin.deeds();
    let open = |door: &Door| {
        let length = door.head(&format!("{}Content-Length: 100\r\n", content_type(door)));
        let chunked = door.head(&format!(
            "{}Transfer-Encoding: chunked\r\n",
            content_type(door)
        ));
        [format!("{length}{{"), format!("{chunked}1\r\n{{\r\n")]
    };
    let doors = origin.doors.iter().filter(|door| door.takes.is_some());
    // All at once: each waits for the same time.
    let sent: Vec<_> = doors
        .flat_map(|door| open(door).map(|text| (door, origin.send(text.as_bytes()))))
        .collect();
    assert!(sent.len() > 20, "{}", sent.len());
    for (door, stream) in sent {
        let answer = Answer::read(stream);
        let code = answer.code();
        assert_eq!(
            (answer.status, code.as_str()),
            (408, "body_timeout"),
            "{door:?}"
        );
    }
    assert_eq!(origin.deeds(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_asked_for_only_where_its_head_is_sound_and_breaks_off_without_effect() {
    let origin = Origin::start().await;
    let before = origin.deeds();
    for door in origin.doors.iter().filter(|door| door.takes.is_some()) {
        let expect = format!(
            "{}Content-Length: 2\r\nExpect: 100-continue\r\n",
            content_type(door)
        );
        let mut stream = origin.send(door.head(&expect).as_bytes());
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n", "{door:?}");
        stream.write_all(b"{}").unwrap();
        let answer = Answer::read(stream);
        // Asking about no token is answered as ever.
        assert!(answer.is_refusal(), "{door:?} {answer:?}");

        let expect = "Content-Type: text/plain\r\nContent-Length: 2\r\nExpect: 100-continue\r\n";
        let answer = Answer::read(origin.send(door.head(expect).as_bytes()));
        assert_eq!(answer.status, 415, "{door:?} {answer:?}");

        let more = format!("{}Content-Length: 100\r\n", content_type(door));
        let stream = origin.send(format!("{}{{", door.head(&more)).as_bytes());
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = Answer::read(stream);
        let is_gone = answer.status == 0 || answer.code() == "body_broke_off";
        assert!(is_gone, "{door:?} {answer:?}");
    }
    assert_eq!(origin.deeds(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_no_heads_are_refused_at_every_route() {
    let origin = Origin::start().await;
    let before = origin.deeds();
    let long = "x".repeat(500 * 1024);
    let many = "x: 1\r\n".repeat(200);
    for door in &origin.doors {
        let path = &door.path;
        for (what, head, allowed) in [
            (
                "huge header",
                door.head(&format!("x: {long}\r\n")),
                &[431][..],
            ),
            ("many headers", door.head(&many), &[431]),
            (
                "length that is none",
                door.head("Content-Length: abc\r\n"),
                &[400],
            ),
            (
                "negative length",
                door.head("Content-Length: -1\r\n"),
                &[400],
            ),
            (
                "two lengths",
                door.head("Content-Length: 1\r\nContent-Length: 2\r\n"),
                &[400],
            ),
            (
                "unknown coding",
                door.head("Transfer-Encoding: gzip\r\n"),
                &[400, 411, 501],
            ),
            ("folded header", door.head("x: a\r\n b\r\n"), &[400]),
            ("no name", door.head(": a\r\n"), &[400]),
            ("NUL in a header", door.head("x: \0\r\n"), &[400]),
            (
                "NUL in the path",
                door.head_of(&format!("{path}\0"), "HTTP/1.1", ""),
                &[400],
            ),
            (
                "space in the path",
                door.head_of(&format!("{path} x"), "HTTP/1.1", ""),
                &[400],
            ),
            (
                "unknown version",
                door.head_of(path, "HTTP/3.7", ""),
                &[400, 505],
            ),
            (
                "long path",
                door.head_of(&format!("{path}{}", &long[..70_000]), "HTTP/1.1", ""),
                &[400, 414],
            ),
        ] {
            let answer = Answer::read(origin.send(head.as_bytes()));
            assert!(allowed.contains(&answer.status), "{what} {path} {answer:?}");
        }
    }
    assert_eq!(origin.deeds(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_mean_nothing_are_never_our_failure() {
    let origin = Origin::start().await;
    let before = origin.deeds();
    let long = format!("?x={}", "x".repeat(60 * 1024));
    for door in &origin.doors {
        // Without a token: a log-out that is asked for strangely would be one.
        let door = &Door {
            authorization: "Bearer x".to_owned(),
            method: door.method.clone(),
            path: door.path.clone(),
            takes: None,
            query: Vec::new(),
        };
        let path = &door.path;
        for target in [
            format!("{path}%00"),
            format!("{path}/%zz"),
            format!("{path}%"),
            format!("{path}/../../x"),
            format!("/{path}"),
            format!("{path}?%ff=%zz&%00"),
            format!("{path}{long}"),
            format!("http://elsewhere.example{path}"),
        ] {
            for version in ["HTTP/1.1", "HTTP/1.0"] {
                let head = door.head_of(&target, version, "");
                let answer = Answer::read(origin.send(head.as_bytes()));
                let shown = &target[..target.len().min(60)];
                let is_fine = (200..500).contains(&answer.status) || answer.code() == "no_list_yet";
                assert!(is_fine, "{} {shown} {version} {answer:?}", door.method);
                if answer.status >= 400 {
                    assert!(
                        answer.status == 400 || !answer.code().is_empty(),
                        "{shown} {answer:?}"
                    );
                }
            }
        }
    }
    assert_eq!(origin.deeds(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_twice_is_refused_wherever_there_are_parameters() {
    let origin = Origin::start().await;
    let mut seen = 0;
    for door in &origin.doors {
        for name in &door.query {
            let target = format!("{}?{name}=1&{name}=1", door.path);
            let head = door.head_of(&target, "HTTP/1.1", "");
            let answer = Answer::read(origin.send(head.as_bytes()));
            let found = (answer.status, answer.code());
            assert!(
                found == (400, "invalid_query".to_owned()) || found.0 == 404,
                "{target} {answer:?}"
            );
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

fn content_type(door: &Door) -> String {
    format!("Content-Type: {}\r\n", door.takes.unwrap())
}

struct Origin {
    portcullis: Portcullis,
    serving: Serving,
    doors: Vec<Door>,
}

impl Origin {
    async fn start() -> Self {
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

    fn send(&self, bytes: &[u8]) -> TcpStream {
        let address = self.serving.url("").replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may be refused, and the connection closed, before all of it was taken.
        let _ = stream.write_all(bytes);
        stream
    }

    /// What requests could have done.
    /// Everything that was done; what failed to be done is none of it.
    fn deeds(&self) -> Vec<Value> {
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

fn doors(api: &Value, token: &str) -> Vec<Door> {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("app:{CLIENT_SECRET}"));
    let paths = api["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, about)| (path, method, about))
    });
    let methods = ["get", "post", "put", "patch", "delete"];
    items
        .filter(|(_, method, _)| methods.contains(&method.as_str()))
        .map(|(path, method, about)| {
            let security = about["security"].to_string();
            let content = &about["requestBody"]["content"];
            let parameters = about["parameters"].as_array().cloned().unwrap_or_default();
            let in_query = parameters.iter().filter(|one| one["in"] == "query");
            Door {
                method: method.to_uppercase(),
                path: path.split('{').next().unwrap().to_owned()
                    + if path.contains('{') { "x" } else { "" },
                takes: ["application/json", "application/x-www-form-urlencoded"]
                    .into_iter()
                    .find(|kind| content.get(kind).is_some()),
                authorization: if security.contains("client") {
                    format!("Basic {pair}")
                } else if security.contains("edge") {
                    format!("Bearer {EDGE_SECRET}")
                } else {
                    format!("Bearer {token}")
                },
                query: in_query
                    .map(|one| one["name"].as_str().unwrap().to_owned())
                    .collect(),
            }
        })
        .collect()
}

#[derive(Debug)]
struct Answer {
    /// 0: the connection ended without one.
    status: u16,
    body: Value,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A reset after the answer: the server did not take all that was sent.
        let ended = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "no answer in time: {text}");
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Self {
            status: status.unwrap_or(0),
            body: serde_json::from_str(body).unwrap_or_default(),
        }
    }

    fn code(&self) -> String {
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }

    fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) && !self.code().is_empty()
    }
}
