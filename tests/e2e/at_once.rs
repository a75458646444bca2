//! A token that was seen before is answered for in one call into the Worker, the first request with it
//! in several: both must come to the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use e2e::{World, start_private};
use reqwest::{Method, RequestBuilder};
use stack::{Answer, Echo, System, paths};

const SPOOFED: [(&str, &str); 3] = [
    ("auth-subject", "admin"),
    ("Auth_Subject", "admin"),
    ("x-ordinary", "kept"),
];

type Ours = World<&'static System>;
type Case = fn(&Ours, &str) -> RequestBuilder;

const CASES: &[(&str, Case)] = &[
    ("a page", |world, token| {
        get(world, "/page?x=1&x=2").bearer_auth(token)
    }),
    ("a head", |world, token| {
        world.edge.request(Method::HEAD, "/page").bearer_auth(token)
    }),
    ("a body", |world, token| {
        post(world, "/pay").bearer_auth(token).body("a body")
    }),
    ("spoofed headers", |world, token| {
        SPOOFED.iter().fold(
            get(world, "/page").bearer_auth(token),
            |request, (name, value)| request.header(*name, *value),
        )
    }),
    ("a cookie", |world, token| {
        get(world, "/page").header("cookie", format!("other=1; access_token={token}"))
    }),
    ("a cookie from another site", |world, token| {
        post(world, "/pay")
            .header("cookie", format!("access_token={token}"))
            .header("sec-fetch-site", "cross-site")
    }),
    ("two tokens", |world, token| {
        get(world, "/page")
            .bearer_auth(token)
            .header("cookie", format!("access_token={token}"))
    }),
    ("a path that reads two ways", |world, token| {
        get(world, "/a//page").bearer_auth(token)
    }),
    ("a web socket", |world, token| {
        get(world, "/live")
            .bearer_auth(token)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
    }),
];

#[tokio::test]
async fn a_token_seen_before_gets_the_answer_that_it_got_at_first() {
    let world = World::before_echo().await.unwrap();
    let bystander = world.new_session().await.unwrap().access;
    let operator = new_operator(&world).await;
    let before = hits_at_once(&world, &operator).await;
    for (what, case) in CASES {
        let token = world.new_session().await.unwrap().access;
        // Whatever else an isolate has to do first, it does for another one.
        world.edge.get("/page", &bystander).await.unwrap();
        let mut answers = Vec::new();
        for _ in 0..3 {
            let answer = world.edge.send(case(&world, &token)).await.unwrap();
            answers.push(seen(&answer));
        }
        assert_eq!(answers[0], answers[1], "{what}");
        assert_eq!(answers[0], answers[2], "{what}");

        world
            .origin
            .log_out(&token)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        world.wait_for_edge(&token, 401).await.unwrap();
    }
    assert!(hits_at_once(&world, &operator).await > before);
}

async fn new_operator(world: &Ours) -> String {
    let credentials = &world.system.credentials;
    let (email, password) = (&credentials.operator_email, &credentials.operator_password);
    world.origin.log_in(email, password).await.unwrap().access
}

async fn hits_at_once(world: &Ours, operator: &str) -> u64 {
    let status = world.edge.get("/.portcullis/status", operator).await;
    let status = status.unwrap().expect(200).unwrap().json();
    status["verified_cache"]["hits_at_once"].as_u64().unwrap()
}

fn get(world: &Ours, path: &str) -> RequestBuilder {
    world.edge.request(Method::GET, path)
}

fn post(world: &Ours, path: &str) -> RequestBuilder {
    world.edge.request(Method::POST, path)
}

/// What a client and the upstream, which echoes, see of it.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let mut body = answer.text.clone();
    if let Ok(mut echo) = serde_json::from_str::<Echo>(&answer.text) {
        // Random.
        echo.headers.remove("sec-websocket-key");
        body = format!("{echo:?}");
    }
    (answer.status.as_u16(), headers, body)
}

/// What would answer for an upstream that fails is gone with the instance.
#[tokio::test]
async fn an_upstream_that_fails_after_the_instance_ended_is_answered_for() {
    let (upstream, connections) = start_upstream_that_holds();
    let world = start_private("held", |plan| {
        plan.worker = paths::target().join("edge-test");
        plan.edge_vars
            .insert("UPSTREAM_URL".to_owned(), upstream.into());
    })
    .await
    .unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    world
        .edge
        .get("/page", &token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();

    let answer = world.edge.get("/hold", &token);
    let panic = async {
        let stream = tokio::task::spawn_blocking(move || connections.recv().unwrap());
        let stream = stream.await.unwrap();
        let panic = world.edge.request(Method::POST, "/.portcullis/panic");
        let panicked = world.edge.send(panic).await.unwrap();
        assert_eq!(panicked.status, 503);
        // With this one a new instance takes the place of the old one.
        world.wait_for_edge(&token, 200).await.unwrap();
        drop(stream);
    };
    let (answer, ()) = tokio::join!(answer, panic);
    let answer = answer.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.code(), "internal");
}

/// Answers at once, but for `/hold`: there it hands out the connection.
fn start_upstream_that_holds() -> (String, Receiver<TcpStream>) {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (hand_out, connections) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            if request[..length].starts_with(b"GET /hold") {
                hand_out.send(stream).unwrap();
            } else {
                stream.write_all(ANSWER).unwrap();
            }
        }
    });
    (url, connections)
}
