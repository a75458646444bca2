//! `GET /revocations/head` and `/revocations/segments/{sha256}`, as an edge asks them.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use origin::router::router;
use origin::store::receipts::find_travel;
use shared::{Scope, Segment};
use tower::ServiceExt;

use crate::edge::Edge;
use crate::harness::{EDGE_SECRET, Replica, World, names, on_both_stores};

/// The longest that a pull may ask for.
const A_PULL_HANGS: Duration = Duration::from_secs(30);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        (
            self.status.as_u16(),
            problem["code"].as_str().unwrap().to_owned(),
        )
    }
}

async fn get_with(origin: &Replica, path: &str, authorization: &[&str]) -> Answer {
    let mut request = Request::get(path);
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let (parts, body) = router(origin.app.clone())
        .oneshot(request)
        .await
        .unwrap()
        .into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

async fn get(origin: &Replica, path: &str) -> Answer {
    get_with(origin, path, &[&format!("Bearer {EDGE_SECRET}")]).await
}

on_both_stores! {
    async fn an_edge_is_sent_the_list_and_then_only_what_is_new(world) {
        let origin = world.publisher().await;
        origin.revoke(Scope::Session, "a", None).await;
        let first = origin.publish().await.version;
        let answer = get(&origin, "/revocations/head?after=0").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("portcullis-list-version"), first.to_string());
        let mut edge = Edge::of(&origin);
        edge.take(&answer.body, origin.now()).await.unwrap();

        origin.revoke(Scope::Session, "b", None).await;
        origin.publish().await;
        let answer = get(&origin, &format!("/revocations/head?after={first}&wait=1")).await;
        edge.take(&answer.body, origin.now()).await.unwrap();
        assert!(edge.knows_sessions(&["a".to_owned(), "b".to_owned()]));
        assert_eq!(edge.tail_bytes_received, 18);
    }

    async fn an_edge_that_holds_the_newest_gets_204(world) {
        let origin = world.publisher().await;
        let version = origin.publish().await.version;
        for wait in ["", "&wait=0", "&wait=1"] {
            let answer = get(&origin, &format!("/revocations/head?after={version}{wait}")).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
        }
    }

    async fn a_list_that_is_published_meanwhile_ends_the_wait(world) {
        let origin = world.publisher().await;
        let version = origin.publish().await.version;
        let asked = Instant::now();
        let path = format!("/revocations/head?after={version}&wait={}", A_PULL_HANGS.as_secs());
        let publish = async {
            while origin.publisher.pull_lane.waiters() == 0 {
                tokio::task::yield_now().await;
            }
            origin.publish().await
        };
        let (answer, publication) = tokio::join!(get(&origin, &path), publish);
        assert_eq!(answer.header("portcullis-list-version"), publication.version.to_string());
        assert!(asked.elapsed() < A_PULL_HANGS, "its wait was over anyway");
    }

    async fn what_an_edge_says_that_it_holds_is_noted_if_it_was_published(world) {
        let origin = world.publisher().await;
        let version = origin.publish().await.version;
        for after in [version + 1, u64::MAX, version - 100_000, version] {
            get(&origin, &format!("/revocations/head?after={after}")).await;
        }
        let noted: Vec<u64> = origin
            .publisher
            .pull_lane
            .sightings()
            .take()
            .iter()
            .map(|sighting| sighting.version)
            .collect();
        assert_eq!(noted, [version]);
        assert_eq!(find_travel(origin.pool(), version).await.unwrap().seen_at_edge_at, None);
    }

    async fn a_segment_is_served_for_ever_under_its_hash(world) {
        let origin = world.publisher().await;
        origin.revoke_sessions(&names("s", 256)).await;
        origin.publish().await;
        origin.advance_secs(300);
        origin.publish().await;
        let mut edge = Edge::of(&origin);
        edge.pull(&origin.publisher.pull_lane.newest().unwrap(), origin.now()).await;
        let sha256 = edge.list.unwrap().head().segments[0].sha256.clone();

        let answer = get(&origin, &format!("/revocations/segments/{sha256}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(Segment::sha256_of(&answer.body), sha256);

        for unknown in [&"A".repeat(43), "x", "..%2F..%2Fetc", &"A".repeat(5000)] {
            let answer = get(&origin, &format!("/revocations/segments/{unknown}")).await;
            assert_eq!(answer.refusal(), (404, "not_found".to_owned()));
        }
    }
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_gets_nothing() {
    let world = World::on_sqlite();
    let origin = world.publisher().await;
    let good = format!("Bearer {EDGE_SECRET}");
    for authorization in [
        &[][..],
        &["Bearer"],
        &["Bearer "],
        &["Bearer wrong"],
        &[EDGE_SECRET],
        &[&format!("Basic {EDGE_SECRET}")],
        &[&format!("{good} ")],
        &[&good[..good.len() - 1]],
        &[&good, &good],
    ] {
        for path in [
            "/revocations/head?after=0",
            &format!("/revocations/segments/{}", "A".repeat(43)),
        ] {
            let answer = get_with(&origin, path, authorization).await;
            assert_eq!(
                answer.refusal(),
                (401, "invalid_edge_secret".to_owned()),
                "{authorization:?}"
            );
            assert_eq!(
                answer.header("www-authenticate"),
                r#"Bearer realm="portcullis""#
            );
        }
    }
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let world = World::on_sqlite();
    let origin = world.publisher().await;
    for query in [
        "after=-1",
        "after=x",
        "after=",
        "after=1.5",
        "after=18446744073709551616",
        "wait=31",
        "wait=-1",
        "wait=x",
        "after=1&after=2",
        "since=1",
    ] {
        let answer = get(&origin, &format!("/revocations/head?{query}")).await;
        assert_eq!(
            answer.refusal(),
            (400, "invalid_query".to_owned()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn before_the_first_list_an_edge_is_asked_to_come_again() {
    let world = World::on_sqlite();
    let origin = world.replica("first").await;
    let answer = get(&origin, "/revocations/head?after=0").await;
    assert_eq!(answer.refusal(), (503, "no_list_yet".to_owned()));
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn without_an_edge_secret_the_answer_names_the_variable() {
    let world = World::on_sqlite().without_edge_secret();
    let origin = world.publisher().await;
    let answer = get_with(&origin, "/revocations/head", &["Bearer "]).await;
    assert_eq!(answer.refusal(), (503, "edge_secret_not_set".to_owned()));
    assert!(String::from_utf8_lossy(&answer.body).contains("PORTCULLIS_EDGE_SECRET"));
}
