//! What no client library sends: bytes on a socket, at every route that `/openapi.json` has. Each is
//! answered with 4xx in a bounded time, or with what a sound request would get; nothing is half-done.

mod answer;
mod door;
mod origin;

use std::io::{Read, Write};
use std::net::Shutdown;

use answer::Answer;
use door::Door;
use origin::Origin;

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
