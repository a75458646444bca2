//! `X-Forwarded-For`: believed from our own proxies, hop by hop, and from nobody else; in sessions, in
//! the audit log, and where failures are counted.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::json;

use crate::harness::{Answer, Origin, PASSWORD, Tokens, on_both_stores};

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "203.0.113.5";

on_both_stores! {
    with ["--trusted-proxies=10.0.0.0/8"];

    async fn a_session_and_its_audit_event_have_the_nearest_hop_that_is_no_proxy_of_ours(origin) {
        origin.register("ada@example.org").await;
        let operator = origin.operator("op@example.org").await;
        for (peer, told, expected) in [
            (PROXY, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
            (PROXY, "6.6.6.6, 192.0.2.8, 10.9.9.9", "192.0.2.8"),
            (PROXY, "nonsense", PROXY),
            (STRANGER, "192.0.2.9", STRANGER),
            (STRANGER, "10.0.0.1", STRANGER),
        ] {
            let answer = log_in(origin, peer, told, PASSWORD).await;
            let tokens = Tokens::from(&answer);
            let listed = origin.get_as("/sessions", &tokens.access).await;
            let sessions = listed.body["sessions"].as_array().unwrap();
            let current = sessions.iter().find(|session| session["current"] == true).unwrap();
            assert_eq!(current["address"], expected, "{peer} {told}");
            let sid = current["sid"].as_str().unwrap();
            let path = format!("/admin/audit?event=logged_in&subject=session:{sid}");
            let audit = origin.get_as(&path, &operator.access).await;
            assert_eq!(addresses(&audit), [expected], "{peer} {told}");
        }
    }

    async fn failures_are_counted_for_who_is_behind_the_proxy(origin) {
        origin.register("ada@example.org").await;
        for number in 0..10 {
            // What stands left of the client was written by the client.
            let told = format!("198.51.100.{number}, 192.0.2.7");
            assert_eq!(log_in(origin, PROXY, &told, "wrong").await.status, 401);
        }
        assert_eq!(log_in(origin, PROXY, "192.0.2.7", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, "10.3.2.1", "192.0.2.7", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, "192.0.2.7", "", PASSWORD).await.status, 429);
        assert_eq!(log_in(origin, PROXY, "192.0.2.8", PASSWORD).await.status, 200);
    }

    async fn a_stranger_can_neither_hide_behind_an_address_nor_use_up_anothers(origin) {
        origin.register("ada@example.org").await;
        for number in 0..10 {
            let told = format!("192.0.2.{number}");
            assert_eq!(log_in(origin, STRANGER, &told, "wrong").await.status, 401);
        }
        assert_eq!(log_in(origin, STRANGER, "192.0.2.99", PASSWORD).await.status, 429);
        for number in 0..10 {
            let told = format!("192.0.2.{number}");
            assert_eq!(log_in(origin, PROXY, &told, PASSWORD).await.status, 200);
        }
        let operator = origin.operator("op@example.org").await;
        let audit = origin.get_as("/admin/audit?event=log_in_failed", &operator.access).await;
        assert_eq!(addresses(&audit), [STRANGER; 10]);
    }
}

async fn log_in(origin: &Origin, peer: &str, told: &str, password: &str) -> Answer {
    let peer = SocketAddr::new(peer.parse().unwrap(), 1);
    let body = json!({"email": "ada@example.org", "password": password});
    let request = Request::post("/login")
        .header("content-type", "application/json")
        .header("x-forwarded-for", told)
        .extension(ConnectInfo(peer));
    origin
        .send(request.body(body.to_string().into()).unwrap())
        .await
}

fn addresses(audit: &Answer) -> Vec<&str> {
    let events = audit.body["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["address"].as_str().unwrap())
        .collect()
}
