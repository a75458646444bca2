//! Where a request may carry its token, and how many it may carry.

use edge::credentials::{CredentialSources, CredentialsError, find_token};

fn find(
    authorization: Option<&'static str>,
    cookie: Option<&'static str>,
    query: Option<&'static str>,
) -> Result<&'static str, CredentialsError> {
    find_token(&CredentialSources {
        authorization,
        cookie,
        query,
        method: "GET",
        ..CredentialSources::default()
    })
}

const OWN_URL: &str = "https://app.example:8443/pay?to=https://evil.example";

/// `Sec-Fetch-Site`, `Origin`, and whether a cookie may change something then.
const WRITES_WITH_A_COOKIE: &[(Option<&str>, Option<&str>, bool)] = &[
    (Some("same-origin"), None, true),
    (Some("none"), None, true),
    (Some("same-site"), None, false),
    (Some("cross-site"), None, false),
    (Some("none, cross-site"), None, false),
    (Some(""), None, false),
    // The browser's own word counts where there is one.
    (Some("same-origin"), Some("https://evil.example"), true),
    (Some("same-site"), Some("https://app.example:8443"), false),
    (None, Some("https://app.example:8443"), true),
    (None, Some("https://APP.example:8443"), true),
    (None, Some("https://evil.example"), false),
    (None, Some("https://app.example"), false),
    // Whoever sits on the wire writes such a page.
    (None, Some("http://app.example:8443"), false),
    (None, Some("wss://app.example:8443"), false),
    (None, Some("https://app.example:8443.evil.example"), false),
    (None, Some("https://sub.app.example:8443"), false),
    (
        None,
        Some("https://app.example:8443, https://evil.example"),
        false,
    ),
    (None, Some("null"), false),
    (None, Some(""), false),
    // No browser: it sends no cookie that it was not told to.
    (None, None, true),
];

#[test]
fn takes_no_cookie_for_what_another_site_wants_changed() {
    let find_for = |authorization, cookie, method, fetch_site, origin, upgrade| {
        find_token(&CredentialSources {
            authorization,
            cookie,
            query: None,
            method,
            url: OWN_URL,
            fetch_site,
            origin,
            upgrade,
        })
    };
    let find = |authorization, cookie, method, fetch_site, origin| {
        find_for(authorization, cookie, method, fetch_site, origin, None)
    };
    let (header, cookie) = (Some("Bearer a.b.c"), Some("access_token=a.b.c"));
    for &(site, origin, may_write) in WRITES_WITH_A_COOKIE {
        let expected = if may_write {
            Ok("a.b.c")
        } else {
            Err(CredentialsError::CrossSite)
        };
        for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE", "get"] {
            let found = find(None, cookie, method, site, origin);
            assert_eq!(found, expected, "{method} {site:?} {origin:?}");
            // A header is not sent by a browser on its own.
            assert_eq!(find(header, None, method, site, origin), Ok("a.b.c"));
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            let found = find(None, cookie, method, site, origin);
            assert_eq!(found, Ok("a.b.c"), "{method} {site:?} {origin:?}");
        }
        // A page of any site may open a WebSocket, and read what comes.
        for upgrade in ["websocket", "WebSocket", "h2c", ""] {
            let found = find_for(None, cookie, "GET", site, origin, Some(upgrade));
            assert_eq!(found, expected, "{upgrade} {site:?} {origin:?}");
            let found = find_for(header, None, "GET", site, origin, Some(upgrade));
            assert_eq!(found, Ok("a.b.c"));
        }
    }
}

#[test]
fn takes_a_page_of_https_for_its_own_where_tls_ends_before_the_edge() {
    let find = |origin| {
        find_token(&CredentialSources {
            cookie: Some("access_token=a.b.c"),
            method: "POST",
            url: "http://app.example/pay",
            origin: Some(origin),
            ..CredentialSources::default()
        })
    };
    for own in ["https://app.example", "http://app.example"] {
        assert_eq!(find(own), Ok("a.b.c"), "{own}");
    }
    assert_eq!(
        find("https://evil.example"),
        Err(CredentialsError::CrossSite)
    );
}

#[test]
fn reads_bearer_in_any_case_after_exactly_one_space() {
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c"] {
        assert_eq!(find(Some(value), None, None), Ok("a.b.c"), "{value}");
    }
    for value in ["Bearer", "Bearer ", "Bearer  a.b.c", "bearer "] {
        assert_eq!(
            find(Some(value), None, None),
            Err(CredentialsError::Malformed),
            "{value}"
        );
    }
}

#[test]
fn takes_other_schemes_for_no_bearer_token() {
    for value in [
        "",
        "a.b.c",
        "Basic dXNlcjpwYXNz",
        "BearerX a.b.c",
        "Bearer\ta.b.c",
        r#"Digest username="a b", realm="x", nonce="y""#,
    ] {
        assert_eq!(
            find(Some(value), None, None),
            Err(CredentialsError::Missing),
            "{value}"
        );
    }
}

#[test]
fn refuses_two_authorization_headers_which_arrive_joined() {
    for value in [
        "Bearer a.b.c, Bearer d.e.f",
        "Bearer a.b.c, Basic dXNlcjpwYXNz",
        "Basic dXNlcjpwYXNz, Bearer a.b.c",
        "Basic dXNlcjpwYXNz,bearer a.b.c",
        "Basic a, Basic b",
        "Bearer a.b.c,",
        "bearer, a.b.c",
    ] {
        let found = find(Some(value), None, None);
        assert_eq!(
            found,
            Err(CredentialsError::TwoAuthorizationHeaders),
            "{value}"
        );
    }
}

#[test]
fn reads_the_cookie_where_no_header_is() {
    for cookie in [
        "access_token=a.b.c",
        "x=1; access_token=a.b.c; y=2",
        " access_token = a.b.c ",
    ] {
        assert_eq!(find(None, Some(cookie), None), Ok("a.b.c"), "{cookie}");
    }
    for cookie in [
        "",
        "x=1",
        "my_access_token=a.b.c",
        "access_token=",
        "access_token",
        "ACCESS_TOKEN=a",
    ] {
        assert_eq!(
            find(None, Some(cookie), None),
            Err(CredentialsError::Missing),
            "{cookie}"
        );
    }
}

#[test]
fn refuses_a_token_in_two_places() {
    let header = Some("Bearer a.b.c");
    let cookie = Some("access_token=a.b.c");
    let query = Some("x=1&access_token=a.b.c");
    for (authorization, cookie, query) in [
        (header, cookie, None),
        (header, None, query),
        (None, cookie, query),
        (header, cookie, query),
        (Some("Basic dXNlcjpwYXNz"), cookie, None),
        (header, Some("x=1, access_token=d"), None),
        (None, Some("access_token=a; access_token=b"), None),
        (header, None, Some("access%5Ftoken=a")),
        (header, None, Some("%61ccess_token")),
    ] {
        let found = find(authorization, cookie, query);
        assert_eq!(
            found,
            Err(CredentialsError::TokenInTwoPlaces),
            "{cookie:?} {query:?}"
        );
    }
}

#[test]
fn ignores_a_token_that_is_in_the_query_alone() {
    assert_eq!(
        find(None, None, Some("access_token=a.b.c")),
        Err(CredentialsError::Missing)
    );
    for query in [
        "access_tokens=x",
        "x=access_token",
        "access%5",
        "access%5Gtoken=x",
        "é%5=1",
        "",
    ] {
        assert_eq!(
            find(Some("Bearer a.b.c"), None, Some(query)),
            Ok("a.b.c"),
            "{query}"
        );
    }
}
