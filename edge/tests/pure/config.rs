//! A bad configuration names its variable; nothing bad becomes a default.

use edge::config::{Config, DecisionLog, RawConfig, Switch};
use serde_json::json;

use crate::support::LIST_KEY;

fn raw() -> RawConfig {
    let text = |value: &str| Some(value.to_owned());
    RawConfig {
        origin_url: text("https://origin.test/"),
        upstream_url: text("http://127.0.0.1:8085/base"),
        list_issuer: text("https://issuer.test"),
        list_keys: Some(json!({ "keys": [LIST_KEY.jwk()] }).to_string()),
        routes: text(r#"[{"path": "/*", "access": "protected"}]"#),
        pull_lane: None,
        catch_up_ms: None,
        list_header: None,
        decision_log: None,
        edge_secret: text("secret"),
    }
}

fn complaint(change: impl FnOnce(&mut RawConfig)) -> String {
    let mut raw = raw();
    change(&mut raw);
    Config::parse(&raw).unwrap_err().to_string()
}

fn routes_complaint(routes: &str) -> String {
    complaint(|raw| raw.routes = Some(routes.to_owned()))
}

#[test]
fn reads_a_good_configuration() {
    let config = Config::parse(&raw()).unwrap();
    assert_eq!(config.origin_url, "https://origin.test");
    assert_eq!(config.upstream_url, "http://127.0.0.1:8085/base");
    assert_eq!(config.routes.len(), 1);
    assert_eq!(config.pull_lane, Switch::On);
    assert_eq!(config.list_header, Switch::Off);
    assert_eq!(config.decision_log, DecisionLog::All);
}

#[test]
fn never_shows_the_secret() {
    let config = Config::parse(&raw()).unwrap();
    assert!(!format!("{config:?}{:?}", raw()).contains("\"secret\""));
    assert_eq!(config.edge_secret.unwrap().expose(), "secret");
}

#[test]
fn names_each_variable_that_is_missing() {
    let missing = [
        complaint(|raw| raw.origin_url = None),
        complaint(|raw| raw.upstream_url = Some(String::new())),
        complaint(|raw| raw.list_issuer = None),
        complaint(|raw| raw.list_keys = None),
        complaint(|raw| raw.routes = None),
        complaint(|raw| raw.edge_secret = None),
    ];
    insta::assert_debug_snapshot!(missing, @r#"
    [
        "ORIGIN_URL: is missing",
        "UPSTREAM_URL: is missing",
        "LIST_ISSUER: is missing",
        "LIST_KEYS: is missing",
        "ROUTES: is missing",
        "EDGE_SECRET: is missing, and needed while PULL_LANE is on or a route asks the origin",
    ]
    "#);
}

#[test]
fn needs_no_secret_where_nobody_is_asked() {
    let kv_alone = RawConfig {
        edge_secret: None,
        pull_lane: Some("off".to_owned()),
        ..raw()
    };
    assert!(Config::parse(&kv_alone).is_ok());
    let routes = r#"[{"path": "/*", "access": "protected", "when_list_stale": "ask_origin"}]"#;
    let asking = RawConfig {
        routes: Some(routes.to_owned()),
        ..kv_alone
    };
    assert_eq!(Config::parse(&asking).unwrap_err().variable, "EDGE_SECRET");
}

#[test]
fn refuses_bad_values() {
    let bad = [
        complaint(|raw| raw.pull_lane = Some("yes".to_owned())),
        complaint(|raw| raw.list_header = Some("ON".to_owned())),
        complaint(|raw| raw.decision_log = Some("some".to_owned())),
        complaint(|raw| raw.edge_secret = Some("two words".to_owned())),
        complaint(|raw| raw.list_keys = Some(r#"{"keys": []}"#.to_owned())),
        complaint(|raw| raw.list_keys = Some("[]".to_owned())),
        complaint(|raw| {
            raw.list_keys = Some(r#"{"keys": [{"kty": "oct", "k": "AA"}]}"#.to_owned());
        }),
    ];
    insta::assert_debug_snapshot!(bad, @r#"
    [
        "PULL_LANE: unknown variant `yes`, expected `on` or `off`",
        "LIST_HEADER: unknown variant `ON`, expected `on` or `off`",
        "DECISION_LOG: unknown variant `some`, expected one of `all`, `denied`, `none`",
        "EDGE_SECRET: is empty or has a character other than visible ASCII",
        "LIST_KEYS: has no key",
        "LIST_KEYS: the key set is not a JSON object with an array `keys`, or names a member twice",
        "LIST_KEYS: key 0 cannot be used: a symmetric key in a published set: who can check an HMAC can forge one",
    ]
    "#);
}

#[test]
fn refuses_urls_that_are_more_or_less_than_a_base() {
    for url in [
        "origin.test",
        "ftp://origin.test",
        "https://",
        "https:///x",
        "https://a@b",
        "https://a?b",
        "https://a b",
    ] {
        let complaint = complaint(|raw| raw.origin_url = Some(url.to_owned()));
        assert!(
            complaint.starts_with("ORIGIN_URL: is not"),
            "{url}: {complaint}"
        );
    }
}

#[test]
fn refuses_a_public_route_that_asks_for_something() {
    for condition in [
        r#""scope": "operator""#,
        r#""max_list_age_secs": 30"#,
        r#""when_list_stale": "ask_origin""#,
    ] {
        let routes = format!(r#"[{{"path": "/admin/*", "access": "public", {condition}}}]"#);
        assert_eq!(
            routes_complaint(&routes),
            "ROUTES: /admin/*: a public route checks no token and no list"
        );
    }
}

#[test]
fn refuses_bad_routes() {
    let bad = [
        routes_complaint("[]"),
        routes_complaint("{}"),
        routes_complaint(r#"[{"path": "/x"}]"#),
        routes_complaint(r#"[{"path": "x", "access": "public"}]"#),
        routes_complaint(r#"[{"path": "/a*b", "access": "public"}]"#),
        routes_complaint(r#"[{"path": "/a%20b", "access": "public"}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "open"}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "public", "scop": "a"}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "protected", "scope": "a  b"}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "protected", "methods": ["get"]}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "protected", "max_list_age_secs": -1}]"#),
        routes_complaint(r#"[{"path": "/x", "access": "protected", "when_list_stale": "allow"}]"#),
    ];
    insta::assert_debug_snapshot!(bad, @r#"
    [
        "ROUTES: has no route, so every request would be denied",
        "ROUTES: invalid type: map, expected a sequence at line 1 column 0",
        "ROUTES: missing field `access` at line 1 column 15",
        "ROUTES: a path begins with `/` at line 1 column 13",
        "ROUTES: a path has at most one `*`, at its end at line 1 column 16",
        "ROUTES: a path is written decoded, without query or parameters at line 1 column 18",
        "ROUTES: unknown variant `open`, expected `public` or `protected` at line 1 column 32",
        "ROUTES: unknown field `scop`, expected one of `path`, `methods`, `access`, `scope`, `max_list_age_secs`, `when_list_stale`, `max_introspection_age_secs` at line 1 column 42",
        "ROUTES: a scope is one or more names with one space between them at line 1 column 55",
        "ROUTES: a method is written in upper-case letters at line 1 column 57",
        "ROUTES: invalid value: integer `-1`, expected u64 at line 1 column 62",
        "ROUTES: unknown variant `allow`, expected one of `deny`, `ask_origin`, `allow_up_to_secs` at line 1 column 65",
    ]
    "#);
}

#[test]
fn waits_for_what_was_missed_as_long_as_it_is_told() {
    let patience = |text: Option<&str>| {
        let raw = RawConfig {
            catch_up_ms: text.map(str::to_owned),
            ..raw()
        };
        Config::parse(&raw).map(|config| config.catch_up.as_millis())
    };
    assert_eq!(patience(None), Ok(250));
    assert_eq!(patience(Some("0")), Ok(0));
    assert_eq!(patience(Some("5000")), Ok(5000));
    for bad in ["", "5001", "-1", "0.5", "1s", "on"] {
        let complaint = patience(Some(bad)).unwrap_err().to_string();
        assert_eq!(
            complaint, "CATCH_UP_MS: is not a number of milliseconds from 0 to 5000",
            "{bad}"
        );
    }
}

#[test]
fn keeps_the_origins_word_only_on_routes_that_ask_for_it() {
    for bad in [
        r#"[{"path": "/*", "access": "protected", "max_introspection_age_secs": 5}]"#,
        r#"[{"path": "/*", "access": "protected", "when_list_stale": "ask_origin",
             "max_introspection_age_secs": 3601}]"#,
    ] {
        assert_eq!(
            routes_complaint(bad),
            "ROUTES: /*: max_introspection_age_secs is for routes that ask the origin, and at most 3600"
        );
    }
}
