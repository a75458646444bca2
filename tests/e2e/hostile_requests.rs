//! Requests that try to get past the edge, or to look like somebody else behind it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{World, read_claims};
use reqwest::Method;
use shared::KV_HEAD_KEY;
use stack::Echo;

/// Ours, and what frameworks behind CGI or WSGI take for ours.
const SPOOFED: [&str; 6] = [
    "Auth-Subject",
    "auth-session",
    "AUTH-SCOPE",
    "Auth-Token-Id",
    "auth_subject",
    "auth_token-id",
];

#[tokio::test]
async fn spoofed_identity_headers_are_stripped_on_public_routes() {
    let world = World::before_echo().await.unwrap();
    let mut request = world.edge.request(Method::GET, "/health/spoofed");
    for name in SPOOFED {
        request = request.header(name, "mallory");
    }
    let answer = world.edge.send(request).await.unwrap().expect(200).unwrap();
    assert!(!answer.text.contains("mallory"), "{}", answer.text);
}

#[tokio::test]
async fn identity_headers_tell_who_the_token_is_whatever_was_sent() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let mut request = world
        .edge
        .request(Method::GET, "/anything")
        .bearer_auth(&token);
    for name in SPOOFED {
        request = request.header(name, "mallory");
    }
    let answer = world.edge.send(request).await.unwrap().expect(200).unwrap();
    assert!(!answer.text.contains("mallory"), "{}", answer.text);
    let echo: Echo = serde_json::from_str(&answer.text).unwrap();
    let claims = read_claims(&token).unwrap();
    for (header, claim) in [
        ("auth-subject", "sub"),
        ("auth-session", "sid"),
        ("auth-scope", "scope"),
        ("auth-token-id", "jti"),
    ] {
        assert_eq!(
            echo.headers[header],
            [claims[claim].as_str().unwrap()],
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_challenged_without_an_error() {
    let world = World::before_echo().await.unwrap();
    let answer = world
        .edge
        .send(world.edge.request(Method::GET, "/me"))
        .await
        .unwrap();
    let answer = answer.expect(401).unwrap();
    assert_eq!(
        answer.headers["www-authenticate"],
        r#"Bearer realm="portcullis""#
    );
}

#[tokio::test]
async fn a_path_that_a_second_reader_cuts_short_never_reaches_the_upstream() {
    let world = World::before_echo().await.unwrap();
    for cut_short in [
        "/health/%3f",
        "/health/%3Fx",
        "/health/%23",
        "/health/%3b",
        "/health/%2fx",
    ] {
        let request = world.edge.request(Method::GET, cut_short);
        let answer = world.edge.send(request).await.unwrap().expect(400).unwrap();
        assert_eq!(answer.code(), "path_ambiguous", "{cut_short}");
    }
    let request = world.edge.request(Method::GET, "/health/%20?%3f#x");
    world.edge.send(request).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn a_token_in_the_query_is_no_token() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    let request = world
        .edge
        .request(Method::GET, &format!("/me?access_token={token}"));
    world.edge.send(request).await.unwrap().expect(401).unwrap();
}

#[tokio::test]
async fn two_tokens_are_one_too_many() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let get = || world.edge.request(Method::GET, "/me").bearer_auth(&token);
    let in_query = world
        .edge
        .request(Method::GET, "/me?access_token=x")
        .bearer_auth(&token);
    for request in [
        get().bearer_auth("another"),
        get().bearer_auth(&token),
        in_query,
    ] {
        let answer = world.edge.send(request).await.unwrap().expect(400).unwrap();
        assert_eq!(answer.code(), "invalid_request");
    }
}

#[tokio::test]
async fn a_token_that_was_changed_in_any_part_is_refused() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let mut claims = read_claims(&token).unwrap();
    claims["scope"] = "profile operator".into();
    let promoted = URL_SAFE_NO_PAD.encode(claims.to_string());
    for forged in [
        format!("{unsigned}.{payload}."),
        format!("{unsigned}.{payload}.{signature}"),
        format!("{header}.{promoted}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{token}="),
        format!("{token}.{signature}"),
        "x".repeat(9 * 1024),
    ] {
        let answer = world
            .edge
            .unguarded(&forged)
            .await
            .unwrap()
            .expect(401)
            .unwrap();
        assert!(answer.headers.contains_key("www-authenticate"), "{forged}");
        assert!(
            !answer.text.contains(&forged),
            "the answer repeats the token"
        );
    }
    world.edge.me(&token).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn the_list_itself_is_no_token() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let kv = world.system.edge.kv();
    let published = stack::until("a list in KV", e2e::PATIENCE, async || {
        kv.find(KV_HEAD_KEY).await
    });
    let message = shared::ListMessage::parse(&published.await.unwrap()).unwrap();
    world
        .edge
        .unguarded(&message.head)
        .await
        .unwrap()
        .expect(401)
        .unwrap();
}

#[tokio::test]
async fn an_ordinary_user_does_not_see_the_status_of_the_edge() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let answer = world.edge.get("/.portcullis/status", &token).await.unwrap();
    assert_eq!(answer.expect(403).unwrap().code(), "insufficient_scope");

    let credentials = &world.system.credentials;
    let (email, password) = (&credentials.operator_email, &credentials.operator_password);
    let operator = world.origin.log_in(email, password).await.unwrap().access;
    let status = world
        .edge
        .get("/.portcullis/status", &operator)
        .await
        .unwrap();
    assert!(status.expect(200).unwrap().json()["list"]["version"].is_number());
}

#[tokio::test]
async fn the_status_of_the_edge_is_there_to_be_read_and_for_nothing_else() {
    let world = World::before_echo().await.unwrap();
    let user = world.new_session().await.unwrap().access;
    world.wait_for_edge(&user, 200).await.unwrap();
    let credentials = &world.system.credentials;
    let (email, password) = (&credentials.operator_email, &credentials.operator_password);
    let operator = world.origin.log_in(email, password).await.unwrap().access;
    for (method, status) in [
        (Method::GET, 200),
        (Method::HEAD, 200),
        (Method::POST, 405),
        (Method::PUT, 405),
        (Method::DELETE, 405),
        (Method::OPTIONS, 405),
    ] {
        let ask = || world.edge.request(method.clone(), "/.portcullis/status");
        let stranger = world.edge.send(ask()).await.unwrap();
        stranger.expect(401).unwrap();
        let users = world.edge.send(ask().bearer_auth(&user)).await.unwrap();
        users.expect(403).unwrap();
        let answer = world.edge.send(ask().bearer_auth(&operator)).await.unwrap();
        let answer = answer.expect(status).unwrap();
        assert_eq!(answer.headers["cache-control"], "no-store", "{method}");
        if status == 405 {
            assert_eq!(answer.headers["allow"], "GET, HEAD", "{method}");
            assert_eq!(answer.code(), "method_not_allowed", "{method}");
        } else {
            assert_eq!(
                answer.headers["content-type"], "application/json",
                "{method}"
            );
            assert_eq!(answer.text.is_empty(), method == Method::HEAD);
        }
    }
}

#[tokio::test]
async fn a_body_passes_through_untouched() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let body = "every byte of it ".repeat(64 * 1024);
    let request = world
        .edge
        .request(Method::PUT, "/upload?part=1")
        .bearer_auth(&token);
    let answer = world
        .edge
        .send(request.body(body.clone()))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let echo: Echo = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(
        (echo.method.as_str(), echo.path.as_str()),
        ("PUT", "/upload?part=1")
    );
    assert!(
        echo.body == body,
        "{} bytes of {} arrived",
        echo.body.len(),
        body.len()
    );
}

#[tokio::test]
async fn a_get_with_a_body_is_passed_on_as_it_came() {
    let world = World::before_echo().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    let request = world
        .edge
        .request(Method::GET, "/search")
        .bearer_auth(&token)
        .body("{}");
    let answer = world.edge.send(request).await.unwrap().expect(200).unwrap();
    let echo: Echo = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((echo.method.as_str(), echo.body.as_str()), ("GET", "{}"));
}
