//! A WebSocket through the edge: decided on as it is opened, and by nothing but the request that opens it.

use e2e::{PATIENCE, World, read_claims};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use stack::{Echo, SEEN_PATH, System};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Ours = World<&'static System>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Headers<'a> = &'a [(&'static str, &'a str)];

#[tokio::test]
async fn a_web_socket_with_a_good_token_repeats_both_ways_and_knows_who_opened_it() {
    let world = World::before_echo().await.unwrap();
    let token = new_token(&world).await;
    let bearer = format!("Bearer {token}");
    let cookie = format!("theme=dark; access_token={token}");
    let own = world.system.edge.url();
    let credentials: [Headers<'_>; 2] = [
        &[("authorization", &bearer)],
        &[("cookie", &cookie), ("origin", &own)],
    ];
    for credential in credentials {
        for path in ["/live/first", "/live/second"] {
            let spoofed = [("auth-subject", "mallory"), ("auth_session", "mallory")];
            let headers = [credential, &spoofed].concat();
            let (mut socket, echo) = open(&world, path, &headers).await.unwrap();
            let claims = read_claims(&token).unwrap();
            for (header, claim) in [
                ("auth-subject", "sub"),
                ("auth-session", "sid"),
                ("auth-token-id", "jti"),
            ] {
                assert_eq!(echo.headers[header], [claims[claim].as_str().unwrap()]);
            }
            assert_eq!(echo.path, path);
            assert!(!format!("{echo:?}").contains("mallory"), "{echo:?}");
            for said in [Message::text("over here"), Message::binary(vec![0, 255])] {
                assert_eq!(say(&mut socket, said.clone()).await, said);
            }
        }
    }
}

#[tokio::test]
async fn a_web_socket_without_a_good_token_never_reaches_the_upstream() {
    let world = World::before_echo().await.unwrap();
    let (revoked, good) = (new_token(&world).await, new_token(&world).await);
    world.origin.log_out(&revoked).await.unwrap();
    world.wait_for_edge(&revoked, 401).await.unwrap();
    let (forged, revoked) = (format!("Bearer {good}x"), format!("Bearer {revoked}"));
    let revoked_cookie = revoked.replace("Bearer ", "access_token=");
    let good_cookie = format!("access_token={good}");
    let evil = ("origin", "https://evil.example");
    let cases: [(&str, u16, Headers<'_>); 6] = [
        ("/live/none", 401, &[]),
        ("/live/forged", 401, &[("authorization", &forged)]),
        ("/live/revoked", 401, &[("authorization", &revoked)]),
        ("/live/revoked-cookie", 401, &[("cookie", &revoked_cookie)]),
        ("/live/evil", 403, &[("cookie", &good_cookie), evil]),
        (
            "/live/sibling",
            403,
            &[
                ("cookie", &good_cookie),
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "websocket"),
            ],
        ),
    ];
    for (path, status, headers) in cases {
        assert_eq!(open(&world, path, headers).await.unwrap_err(), status);
    }
    // So that what was not seen could have been.
    let good = format!("Bearer {good}");
    open(&world, "/live/good", &[("authorization", &good)])
        .await
        .unwrap();
    let seen = world.edge.request(Method::GET, SEEN_PATH);
    let seen = world.edge.send(seen).await.unwrap().expect(200).unwrap();
    assert!(seen.text.contains("/live/good"), "{}", seen.text);
    for (path, ..) in cases {
        assert!(!seen.text.contains(&format!("{path:?}")), "{path}");
    }
}

#[tokio::test]
async fn an_open_web_socket_outlives_its_token_and_no_new_one_opens() {
    let world = World::before_echo().await.unwrap();
    let token = new_token(&world).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let (mut socket, _) = open(&world, "/live", &headers).await.unwrap();
    world.origin.log_out(&token).await.unwrap();
    world.wait_for_edge(&token, 401).await.unwrap();
    let said = Message::text("still here");
    assert_eq!(say(&mut socket, said.clone()).await, said);
    assert_eq!(open(&world, "/live", &headers).await.unwrap_err(), 401);
}

async fn new_token(world: &Ours) -> String {
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    token
}

/// The socket and what the upstream was sent, or the status that the edge refuses it with.
async fn open(world: &Ours, path: &str, headers: Headers<'_>) -> Result<(Socket, Echo), u16> {
    let url = format!("{}{path}", world.system.edge.url()).replacen("http", "ws", 1);
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((mut socket, _)) => {
            let greeting = hear(&mut socket).await;
            let echo = serde_json::from_str(greeting.to_text().unwrap()).unwrap();
            Ok((socket, echo))
        }
        Err(Error::Http(refusal)) => Err(refusal.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn say(socket: &mut Socket, message: Message) -> Message {
    socket.send(message).await.unwrap();
    hear(socket).await
}

async fn hear(socket: &mut Socket) -> Message {
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await;
    heard.unwrap().unwrap().unwrap()
}
