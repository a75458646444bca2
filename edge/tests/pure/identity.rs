//! The headers that only the edge may set.

use edge::identity::{Identity, is_reserved_name};

fn identity(subject: &str, scope: &str) -> Identity {
    Identity {
        subject: subject.to_owned(),
        session: None,
        scope: Some(scope.to_owned()),
        token_id: "t".to_owned(),
    }
}

#[test]
fn takes_every_spelling_of_our_headers_for_ours() {
    for name in [
        "auth-subject",
        "auth_subject",
        "AUTH-Session",
        "auth.scope",
        "auth-token-id",
        "auth_token_id",
        "auth-token_id",
        "auth_token-id",
    ] {
        assert!(is_reserved_name(name), "{name}");
    }
}

#[test]
fn leaves_other_headers_alone() {
    for name in [
        "authorization",
        "auth-subjects",
        "x-auth-subject",
        "authxsubject",
        "auth",
        "",
        "auth-token",
    ] {
        assert!(!is_reserved_name(name), "{name}");
    }
}

#[test]
fn sets_what_the_token_says_and_nothing_else() {
    let full = Identity {
        session: Some("s".to_owned()),
        ..identity("u", "a b")
    };
    let expected = [
        ("auth-subject", "u"),
        ("auth-token-id", "t"),
        ("auth-session", "s"),
        ("auth-scope", "a b"),
    ];
    let headers = full.headers();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(headers, expected);
    let bare = Identity {
        scope: None,
        ..identity("u", "")
    };
    assert_eq!(bare.headers().len(), 2);
}

#[test]
fn writes_any_claim_as_a_safe_and_unmistakable_header_value() {
    for (claim, value) in [
        ("user@example.test", "user@example.test"),
        ("a\r\nAuth-Scope: operator", "a%0D%0AAuth-Scope:%20operator"),
        (" padded ", "%20padded%20"),
        ("100%25", "100%2525"),
        ("Zoë", "Zo%C3%AB"),
        ("\u{0}\u{7f}", "%00%7F"),
    ] {
        assert_eq!(identity(claim, "x").headers()[0].1, value, "{claim:?}");
    }
}

#[test]
fn finds_a_scope_only_as_a_whole_word() {
    let holder = identity("u", "profile operators");
    assert!(holder.has_scope("profile"));
    assert!(!holder.has_scope("operator"));
    assert!(
        !Identity {
            scope: None,
            ..holder
        }
        .has_scope("profile")
    );
}
