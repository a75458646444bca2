//! What the origin says about a token, and how long it is believed.

use crate::support::NOW;
use edge::identity::Identity;
use edge::introspection::{Introspected, Introspection, IntrospectionError};
use edge::introspection_cache::IntrospectionCache;
use serde_json::{Value, json};
use shared::UnixSeconds;

const ASKED: UnixSeconds = NOW;

fn active() -> Value {
    json!({ "active": true, "sub": "user-1", "jti": "token-1", "exp": NOW.as_secs() + 3600 })
}

fn answer(body: &Value, cache_control: Option<&str>) -> Introspected {
    Introspected::parse(body.to_string().as_bytes(), cache_control).unwrap()
}

fn secs_kept(body: &Value, cache_control: Option<&str>) -> f64 {
    answer(body, cache_control).ends_at(ASKED).secs_since(ASKED)
}

#[test]
fn reads_what_is_plainly_active_or_not() {
    let identity = Identity {
        subject: "user-1".to_owned(),
        session: None,
        scope: None,
        token_id: "token-1".to_owned(),
    };
    assert_eq!(
        answer(&active(), None).introspection,
        Introspection::Active(identity)
    );
    let no = answer(&json!({ "active": false, "sub": "user-1" }), None);
    assert_eq!(no.introspection, Introspection::NotActive);
    for body in [
        json!({}),
        json!({ "active": "true" }),
        json!({ "active": true }),
        json!({ "active": true, "sub": "user-1" }),
        json!({ "active": true, "sub": "user-1", "jti": "t", "exp": "soon" }),
        json!([true]),
    ] {
        let read = Introspected::parse(body.to_string().as_bytes(), None);
        assert_eq!(read, Err(IntrospectionError::Unreadable), "{body}");
    }
}

#[test]
fn keeps_an_answer_only_as_long_as_the_origin_plainly_allows() {
    for (cache_control, secs) in [
        (None, 0.0),
        (Some(""), 0.0),
        (Some("private"), 0.0),
        (Some("max-age=30"), 30.0),
        (Some("private, Max-Age=30"), 30.0),
        (Some("max-age=30, no-store"), 0.0),
        (Some("No-Cache, max-age=30"), 0.0),
        (Some("max-age=30, max-age=60"), 0.0),
        (Some("max-age=-1"), 0.0),
        (Some("max-age=1e3"), 0.0),
        (Some("s-maxage=30"), 0.0),
    ] {
        assert_eq!(
            secs_kept(&active(), cache_control).to_bits(),
            f64::to_bits(secs),
            "{cache_control:?}"
        );
    }
}

#[test]
fn keeps_no_answer_past_the_tokens_end() {
    let long = Some("max-age=86400");
    assert_eq!(secs_kept(&active(), long).to_bits(), 3600_f64.to_bits());
    let mut endless = active();
    endless["exp"] = Value::Null;
    assert_eq!(secs_kept(&endless, long).to_bits(), 0_f64.to_bits());
}

#[test]
fn believes_an_answer_no_longer_than_the_route_allows() {
    let mut cache = IntrospectionCache::default();
    cache.insert("a", &answer(&active(), Some("max-age=60")), ASKED);
    assert!(cache.find("a", 5, ASKED.plus_secs(4)).is_some());
    assert!(cache.find("a", 5, ASKED.plus_secs(5)).is_none());
    assert!(cache.find("a", 0, ASKED).is_none());
    // A more patient route may still have it, but not past what the origin said.
    assert!(cache.find("a", 90, ASKED.plus_secs(59)).is_some());
    assert!(cache.find("a", 90, ASKED.plus_secs(60)).is_none());
    assert!(cache.find("b", 90, ASKED).is_none());
}

#[test]
fn takes_the_newer_of_two_answers() {
    let mut cache = IntrospectionCache::default();
    cache.insert("a", &answer(&active(), Some("max-age=60")), ASKED);
    let no = answer(&json!({ "active": false }), Some("max-age=60"));
    cache.insert("a", &no, ASKED.plus_secs(1));
    assert_eq!(
        cache.find("a", 60, ASKED.plus_secs(2)),
        Some(Introspection::NotActive)
    );
}
