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
        fetch_site: None,
    })
}

#[test]
fn takes_no_cookie_for_what_another_site_wants_changed() {
    let find = |authorization, cookie, method, fetch_site| {
        let query = None;
        find_token(&CredentialSources {
            authorization,
            cookie,
            query,
            method,
            fetch_site,
        })
    };
    let cookie = Some("access_token=a.b.c");
    for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
        let refused = Err(CredentialsError::CrossSite);
        assert_eq!(
            find(None, cookie, method, Some("cross-site")),
            refused,
            "{method}"
        );
        for fetch_site in [None, Some("same-origin"), Some("same-site"), Some("none")] {
            assert_eq!(
                find(None, cookie, method, fetch_site),
                Ok("a.b.c"),
                "{fetch_site:?}"
            );
        }
        // A header is not sent by a browser on its own.
        let header = Some("Bearer a.b.c");
        assert_eq!(find(header, None, method, Some("cross-site")), Ok("a.b.c"));
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(
            find(None, cookie, method, Some("cross-site")),
            Ok("a.b.c"),
            "{method}"
        );
    }
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
