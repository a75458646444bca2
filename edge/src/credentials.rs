//! Where a request carries its access token (RFC 6750, section 2), and that it carries only one.
//!
//! Knows headers and the query as text; does not look into the token.

/// The parts of a request that may carry a token, as the platform gives them.
#[derive(Debug, Clone, Copy, Default)]
pub struct CredentialSources<'r> {
    /// The value of `Authorization`. Two headers arrive here as one value, joined with `, `.
    pub authorization: Option<&'r str>,
    /// The value of `Cookie`.
    pub cookie: Option<&'r str>,
    /// The query, without its `?`.
    pub query: Option<&'r str>,
    pub method: &'r str,
    /// The request's own URL.
    pub url: &'r str,
    /// The value of `Sec-Fetch-Site`, which browsers set and pages cannot.
    pub fetch_site: Option<&'r str>,
    /// The value of `Origin`, which older browsers set as well.
    pub origin: Option<&'r str>,
    /// The value of `Upgrade`: what begins as a `GET` goes on as something else, a WebSocket.
    pub upgrade: Option<&'r str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Nothing that could be a bearer token was sent.
    #[error("An access token is required")]
    Missing,
    #[error("The request has more than one Authorization header")]
    TwoAuthorizationHeaders,
    #[error("The request carries a token in more than one place")]
    TokenInTwoPlaces,
    #[error("The Authorization header is not `Bearer`, one space and a token")]
    Malformed,
    /// A browser sends cookies along with what another site makes it do.
    #[error("Another site may not do this with the cookie of this one")]
    CrossSite,
}

/// The name of the token as a cookie and as a query parameter.
const TOKEN_NAME: &str = "access_token";

/// The one token of the request, unverified. A token in the query alone is not looked at: URLs are
/// logged, kept in histories and sent on as referrers.
pub fn find_token<'r>(sources: &CredentialSources<'r>) -> Result<&'r str, CredentialsError> {
    if sources.authorization.is_some_and(holds_two_headers) {
        return Err(CredentialsError::TwoAuthorizationHeaders);
    }
    let mut cookies = sources.cookie.into_iter().flat_map(token_cookies);
    let cookie = cookies.next();
    let in_query = sources.query.is_some_and(has_token_parameter);
    let places = [sources.authorization.is_some(), cookie.is_some(), in_query];
    let is_repeated = places.iter().filter(|&&found| found).count() > 1 || cookies.next().is_some();
    if is_repeated {
        return Err(CredentialsError::TokenInTwoPlaces);
    }
    match (sources.authorization, cookie) {
        (Some(value), _) => parse_bearer(value),
        (None, Some(_)) if may_change_something(sources) && !is_of_own_origin(sources) => {
            Err(CredentialsError::CrossSite)
        }
        (None, Some(token)) => Ok(token),
        (None, None) => Err(CredentialsError::Missing),
    }
}

/// Following a link from elsewhere is fine; changing something is not. Neither is a WebSocket: it is
/// opened by a `GET` from any page, with the cookie, and the page reads all that comes back.
fn may_change_something(sources: &CredentialSources<'_>) -> bool {
    sources.upgrade.is_some() || !matches!(sources.method, "GET" | "HEAD" | "OPTIONS")
}

/// A sibling host (`same-site`) is another's as well: cookies reach it, trust does not. Whatever says
/// nothing of where it comes from is no browser, and sends no cookie that it was not told to.
fn is_of_own_origin(sources: &CredentialSources<'_>) -> bool {
    match (sources.fetch_site, sources.origin) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => split_origin(origin)
            .zip(split_origin(sources.url))
            .is_some_and(|(theirs, ours)| is_as_trusted(theirs, ours)),
        (None, None) => true,
    }
}

/// Whoever sits on the wire writes the pages of `http://`, so the same host is another's there. The other
/// way round it is not: TLS may end before the edge.
fn is_as_trusted(theirs: (&str, &str), ours: (&str, &str)) -> bool {
    let is_scheme_kept = theirs.0 == "https" || theirs.0 == ours.0;
    is_scheme_kept && theirs.1.eq_ignore_ascii_case(ours.1)
}

/// Scheme, and host with port. `Origin: null` has none.
fn split_origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?', '#']).next()?))
}

fn parse_bearer(value: &str) -> Result<&str, CredentialsError> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(CredentialsError::Missing);
    }
    if token.is_empty() || token.starts_with(' ') {
        return Err(CredentialsError::Malformed);
    }
    Ok(token)
}

/// A comma cannot be part of a bearer token; elsewhere it begins a second header where a scheme
/// follows it, and not a parameter of the first (`Digest realm="x", nonce="y"`).
fn holds_two_headers(value: &str) -> bool {
    let mut parts = value.split(',');
    let first = parts.next().unwrap_or_default();
    let is_bearer = first
        .get(..6)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    let mut rest = parts.peekable();
    (is_bearer && rest.peek().is_some()) || rest.any(begins_with_scheme)
}

fn begins_with_scheme(part: &str) -> bool {
    part.trim_start()
        .split_once(' ')
        .is_some_and(|(word, _)| !word.contains(['=', '"']))
}

/// Two `Cookie` headers arrive joined with a comma, which no cookie value may hold (RFC 6265).
fn token_cookies(header: &str) -> impl Iterator<Item = &str> {
    header.split([';', ',']).filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        (name.trim() == TOKEN_NAME && !value.is_empty()).then_some(value)
    })
}

fn has_token_parameter(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name == TOKEN_NAME || decodes_to_token_name(name)
    })
}

/// `access%5Ftoken` names the same parameter.
fn decodes_to_token_name(name: &str) -> bool {
    let mut expected = TOKEN_NAME.bytes();
    let mut rest = name;
    while let Some(first) = rest.bytes().next() {
        let (byte, length) = match rest.get(1..3).map(|hex| u8::from_str_radix(hex, 16)) {
            Some(Ok(byte)) if first == b'%' => (byte, 3),
            _ => (first, 1),
        };
        if expected.next() != Some(byte) {
            return false;
        }
        rest = &rest[length..];
    }
    expected.next().is_none()
}
