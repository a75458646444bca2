//! Which rule a request falls under, and which paths fall under none because they have two readings.

use edge::request_target::{AmbiguousPath, RequestTarget};
use edge::route::{Route, find_route};
use serde_json::json;

fn routes() -> Vec<Route> {
    serde_json::from_value(json!([
        { "path": "/health*", "access": "public" },
        { "path": "/.well-known/*", "access": "public" },
        { "path": "/items", "access": "public", "methods": ["GET"] },
        { "path": "/admin/*", "access": "protected", "scope": "operator" },
        { "path": "/items", "access": "protected" },
    ]))
    .unwrap()
}

fn find(method: &str, path: &str) -> Option<usize> {
    let routes = routes();
    let found = find_route(&routes, method, path)?;
    routes.iter().position(|route| route == found)
}

fn path(url: &str) -> Result<String, AmbiguousPath> {
    RequestTarget::parse(url).map(|target| target.path)
}

#[test]
fn takes_the_first_route_that_matches_path_and_method() {
    for (method, path, expected) in [
        ("GET", "/health", Some(0)),
        ("GET", "/healthz", Some(0)),
        ("GET", "/health/live", Some(0)),
        ("GET", "/.well-known/jwks.json", Some(1)),
        ("GET", "/.well-known", Some(1)),
        ("GET", "/.well-knownx", None),
        ("GET", "/items", Some(2)),
        ("HEAD", "/items", Some(2)),
        ("POST", "/items", Some(4)),
        ("OPTIONS", "/items", Some(4)),
        ("GET", "/items/", None),
        ("GET", "/admin/x", Some(3)),
        ("GET", "/admin", Some(3)),
        ("GET", "/", None),
        ("GET", "/HEALTH", None),
    ] {
        assert_eq!(find(method, path), expected, "{method} {path}");
    }
}

#[test]
fn matches_the_decoded_path_and_forwards_the_raw_one() {
    let target = RequestTarget::parse("https://h.test:8787/%61dmin/%C3%A4?b=%2F&c").unwrap();
    assert_eq!(target.path, "/admin/ä");
    assert_eq!(target.path_and_query, "/%61dmin/%C3%A4?b=%2F&c");
    assert_eq!(target.query, Some("b=%2F&c"));
    assert_eq!(path("http://h"), Ok("/".to_owned()));
    assert_eq!(path("http://h?x=/y"), Ok("/".to_owned()));
    assert_eq!(path("http://h/a/b/#/c"), Ok("/a/b/".to_owned()));
}

#[test]
fn refuses_a_path_that_has_two_readings() {
    for raw in [
        "/health/..%2fadmin",
        "/health/%2e%2e/admin",
        "/health%2Fx",
        "/a%5cb",
        "/a\\b",
        "/a//b",
        "//admin",
        "/a/./b",
        "/a/..",
        "/..;/admin",
        "/admin;x=1/y",
        "/admin%3bx",
        "/admin%3fx",
        "/admin%3F",
        "/admin%23x",
        "/a%00",
        "/a%0d%0ab",
        "/a%25%32%66b",
        "/a%2",
        "/a%",
        "/a%zz",
        "/%ff",
    ] {
        assert_eq!(
            path(&format!("https://h.test{raw}")),
            Err(AmbiguousPath),
            "{raw}"
        );
    }
}

#[test]
fn keeps_a_path_that_only_looks_odd() {
    for raw in [
        "/a/", "/...", "/.hidden", "/a..b", "/~x", "/a+b", "/@me", "/a:b", "/a,b", "/a%20b",
    ] {
        assert!(path(&format!("https://h.test{raw}")).is_ok(), "{raw}");
    }
}
