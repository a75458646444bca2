//! Bad input of every kind, at every door: a 4xx with its own code, never a 5xx, never an echo.

use axum::body::Body;
use axum::http::Request;

use crate::harness::{EDGE_SECRET, PASSWORD, assert_denial, assert_oauth_denial, on_both_stores};

const JSON_DOORS: [&str; 6] = [
    "/register",
    "/login",
    "/refresh",
    "/password/forgot",
    "/password/reset",
    "/email/verify",
];
const FORM_DOORS: [&str; 3] = ["/token", "/revoke", "/introspect"];

on_both_stores! {
    async fn bodies_that_are_not_what_they_say_are_refused_at_every_door(origin) {
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        for door in JSON_DOORS {
            for (body, status, code) in [
                (b"".to_vec(), 400, "malformed_json"),
                (b"{\"email\": ".to_vec(), 400, "malformed_json"),
                (b"\xff\xfe{}".to_vec(), 400, "invalid_utf8"),
                (deep.clone().into_bytes(), 422, "not_an_object"),
                (b"[]".to_vec(), 422, "not_an_object"),
                (b"null".to_vec(), 422, "not_an_object"),
                (b"{\"surprise\": 1}".to_vec(), 422, "unknown_member"),
                (b"{}".to_vec(), 422, "missing_member"),
                (vec![b' '; 64 * 1024 + 1], 413, "body_too_large"),
            ] {
                let answer = origin.post_raw(door, body.clone()).await;
                let got = (answer.status, answer.code());
                assert_eq!(got, (status, code), "{door} {:?}", String::from_utf8_lossy(&body));
                answer.denial();
            }
        }
    }

    async fn a_member_twice_or_of_another_type_is_refused(origin) {
        let twice = r#"{"email":"a@example.org","password":"x","password":"y"}"#;
        assert_eq!(origin.post_raw("/login", twice).await.code(), "duplicate_member");
        for body in [
            r#"{"email":1,"password":"x"}"#,
            r#"{"email":"a@example.org","password":["x"]}"#,
            r#"{"email":{"$ne":null},"password":"x"}"#,
        ] {
            assert_eq!(origin.post_raw("/login", body).await.code(), "wrong_type", "{body}");
        }
    }

    async fn a_body_of_another_media_type_is_refused(origin) {
        for (door, media_type) in [("/login", "text/plain"), ("/login", "application/json; q=1"), ("/token", "application/json")] {
            let request = Request::post(door).header("content-type", media_type);
            let answer = origin.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"));
        }
        for (first, second) in [("application/json", "text/plain"), ("application/json", "application/json")] {
            let request = Request::post("/login").header("content-type", first).header("content-type", second);
            let answer = origin.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"), "two types");
        }
        let request = Request::post("/login").header("content-type", "application/json;charset=UTF-8");
        let answer = origin.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.code(), "missing_member");
    }

    async fn a_body_that_grows_past_the_limit_is_cut_off_whatever_it_announced(origin) {
        let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024]));
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        let answer = origin.post_raw("/login", body).await;
        assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
    }

    async fn form_doors_refuse_with_the_error_of_rfc_6749(origin) {
        for door in FORM_DOORS {
            let answer = origin.post_form(door, None, &[("token", "x")]).await;
            assert_oauth_denial!(answer, @r#"
            401 invalid_client: Client authentication failed
            www-authenticate: Basic realm="portcullis"
            error: invalid_client
            "#);
            let twice = origin.post_form(door, None, &[("token", "x"), ("token", "y")]).await;
            assert_eq!((twice.status, twice.code()), (400, "invalid_request"));
        }
    }

    async fn unknown_paths_and_wrong_methods_are_problems_too(origin) {
        assert_denial!(origin.get("/nothing/here").await, @"404 not_found: There is nothing here");
        assert_denial!(origin.get("/login").await, @r"
        405 method_not_allowed: This resource does not answer this method
        allow: POST
        ");
    }

    async fn ids_in_paths_that_no_row_can_have_are_not_found(origin) {
        let tokens = origin.user("ada@example.org").await;
        for path in ["/revocations/%00", "/revocations/' OR 1=1", "/revocations/%ff", "/sessions/%00", "/sessions/%ff"] {
            let path = path.replace(' ', "%20");
            let request = Request::builder()
                .method(if path.starts_with("/sessions") { "DELETE" } else { "GET" })
                .uri(&path)
                .header("authorization", format!("Bearer {}", tokens.access));
            let answer = origin.send(request.body(Body::empty()).unwrap()).await;
            assert_denial!(answer, @"404 not_found: There is nothing here");
        }
        for path in ["/revocations/segments/%00", "/revocations/segments/%ff"] {
            let request = Request::get(path).header("authorization", format!("Bearer {EDGE_SECRET}"));
            let answer = origin.send(request.body(Body::empty()).unwrap()).await;
            assert_denial!(answer, @"404 not_found: There is nothing here");
        }
    }

    async fn secrets_in_a_refused_request_are_not_in_its_answer(origin) {
        for body in [
            format!(r#"{{"email":"a@example.org","password":{{"p":"{PASSWORD}"}}}}"#),
            format!(r#"{{"email":"a@example.org","password":"{PASSWORD}","{PASSWORD}":1}}"#),
            format!(r#"{{"email":"a@example.org","password":"{PASSWORD}" "#),
        ] {
            let answer = origin.post_raw("/login", body.clone()).await;
            assert!((400..500).contains(&answer.status), "{body}");
            assert!(!answer.raw.contains(PASSWORD), "{}", answer.raw);
        }
    }

    async fn every_answer_has_a_request_id_of_our_own(origin) {
        let request = Request::get("/health/live").header("x-request-id", "forged\tid");
        let one = origin.send(request.body(Body::empty()).unwrap()).await;
        let two = origin.get("/nothing").await;
        assert_eq!(one.header("x-request-id").len(), 22);
        assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    }
}
