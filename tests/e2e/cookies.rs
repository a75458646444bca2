//! What a page of another site can make a browser do with the cookie that holds a token: follow a link,
//! and nothing that changes or opens anything.

use e2e::World;
use reqwest::{Method, RequestBuilder};
use stack::{Echo, System};

/// `Sec-Fetch-Site` and `Origin`.
type Site<'a> = (Option<&'a str>, Option<&'a str>);

/// As browsers send them for a page that is not ours.
const FOREIGN: [Site<'_>; 5] = [
    (Some("cross-site"), Some("https://evil.example")),
    (Some("cross-site"), None),
    (Some("same-site"), Some("https://sibling.example")),
    (None, Some("https://evil.example")),
    (None, Some("null")),
];

type Ours = World<&'static System>;

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_with_the_cookie() {
    let world = World::before_echo().await.unwrap();
    let token = new_token(&world).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for from in FOREIGN {
            let request = with_cookie(&world, method.clone(), "/pay", &token);
            refused_as_cross_site(&world, come_from(request, from)).await;
        }
        for from in own(&world.system.edge.url()) {
            let request = with_cookie(&world, method.clone(), "/pay", &token);
            let passed = world.edge.send(come_from(request, from)).await;
            let echo = passed.unwrap().expect(200).unwrap();
            let echo: Echo = serde_json::from_str(&echo.text).unwrap();
            assert_eq!(
                (echo.method.as_str(), echo.path.as_str()),
                (method.as_str(), "/pay")
            );
        }
    }
}

#[tokio::test]
async fn a_link_from_another_site_may_be_followed_and_a_bearer_token_knows_no_site() {
    let world = World::before_echo().await.unwrap();
    let token = new_token(&world).await;
    for from in FOREIGN {
        for method in [Method::GET, Method::HEAD] {
            let request = with_cookie(&world, method, "/page", &token);
            let answer = world.edge.send(come_from(request, from)).await.unwrap();
            answer.expect(200).unwrap();
        }
        let request = world.edge.request(Method::POST, "/pay").bearer_auth(&token);
        let answer = world.edge.send(come_from(request, from)).await.unwrap();
        answer.expect(200).unwrap();
    }
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_web_socket_with_the_cookie() {
    let world = World::before_echo().await.unwrap();
    let token = new_token(&world).await;
    for from in FOREIGN {
        let request = open_web_socket(with_cookie(&world, Method::GET, "/live", &token));
        refused_as_cross_site(&world, come_from(request, from)).await;
    }
    for from in own(&world.system.edge.url()) {
        let request = open_web_socket(with_cookie(&world, Method::GET, "/live", &token));
        let answer = world.edge.send(come_from(request, from)).await.unwrap();
        answer.expect(101).unwrap();
    }
}

async fn new_token(world: &Ours) -> String {
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    token
}

/// As browsers send them for a page of the edge itself, and as what is no browser sends them.
fn own(url: &str) -> [Site<'_>; 4] {
    [
        (Some("same-origin"), Some(url)),
        (Some("none"), None),
        (None, Some(url)),
        (None, None),
    ]
}

fn with_cookie(world: &Ours, method: Method, path: &str, token: &str) -> RequestBuilder {
    let request = world.edge.request(method, path);
    request.header("cookie", format!("theme=dark; access_token={token}"))
}

fn come_from(request: RequestBuilder, from: Site<'_>) -> RequestBuilder {
    let (site, origin) = from;
    let headers = [("sec-fetch-site", site), ("origin", origin)];
    let present = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    present.fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

fn open_web_socket(request: RequestBuilder) -> RequestBuilder {
    request
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

async fn refused_as_cross_site(world: &Ours, request: RequestBuilder) {
    let answer = world.edge.send(request).await.unwrap().expect(403).unwrap();
    assert_eq!(answer.code(), "cross_site_request");
}
