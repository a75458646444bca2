//! What browsers are told: security headers on every answer, CORS only where it is configured.

use axum::body::Body;
use axum::http::Request;

use crate::harness::{Answer, Origin, with_sqlite, with_sqlite_and};

const PAGE: &str = "https://app.example.org";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_nothing_but_what_it_says_it_is() {
    with_sqlite(async |origin: Origin| {
        for path in ["/health/live", "/me", "/nothing/here"] {
            let answer = origin.get(path).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert!(
                answer
                    .header("content-security-policy")
                    .contains("default-src 'none'")
            );
            // The issuer of this test is an https address.
            assert!(
                answer
                    .header("strict-transport-security")
                    .starts_with("max-age=")
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_may_ask_unless_it_is_configured() {
    with_sqlite(async |origin: Origin| {
        let answer = ask(&origin, "OPTIONS", PAGE).await;
        assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_page_may_ask_and_no_other() {
    let flags = ["--cors-origins=https://app.example.org,http://localhost:5173"];
    with_sqlite_and(&flags, async |origin: Origin| {
        let answer = ask(&origin, "OPTIONS", PAGE).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, PAGE)
        );
        let allowed = answer.header("access-control-allow-headers").to_lowercase();
        assert!(
            allowed.contains("authorization") && allowed.contains("content-type"),
            "{allowed}"
        );
        // A refusal has to be readable, too.
        let refused = ask(&origin, "POST", PAGE).await;
        assert_eq!(
            (
                refused.code(),
                refused.header("access-control-allow-origin")
            ),
            ("unsupported_media_type", PAGE)
        );
        assert!(
            !refused
                .headers
                .contains_key("access-control-allow-credentials")
        );
        for stranger in [
            "https://evil.example",
            "https://app.example.org.evil.example",
            "null",
        ] {
            let answer = ask(&origin, "POST", stranger).await;
            assert!(
                !answer.headers.contains_key("access-control-allow-origin"),
                "{stranger}"
            );
        }
    })
    .await;
}

async fn ask(origin: &Origin, method: &str, page: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri("/login")
        .header("origin", page)
        .header("access-control-request-method", "POST");
    origin.send(request.body(Body::empty()).unwrap()).await
}
