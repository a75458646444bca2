//! Which rule a request falls under: the routes of the configuration, first match wins.
//!
//! Matching is done on the decoded path. A path that two readers could decode into two resources
//! (`%2F`, `..;`, `//`) is refused before any rule is looked at, because the rule would then be
//! chosen for one resource and the upstream would serve the other. Knows nothing of tokens.

use serde::Deserialize;

/// One rule, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// An exact path, or a prefix that ends in `*`.
    pub path: PathPattern,
    /// Upper-case methods; none means all.
    #[serde(default)]
    pub methods: Option<Vec<Method>>,
    pub access: Access,
    /// Space-separated scopes, all of which the token must have.
    #[serde(default)]
    pub scope: Option<RequiredScope>,
    /// How old the list may be here; without it, anything before its own end will do.
    #[serde(default)]
    pub max_list_age_secs: Option<u64>,
    #[serde(default)]
    pub when_list_stale: ListStalePolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    Public,
    Protected,
}

/// What a route does while the list is missing, ended, or older than the route allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ListStalePolicy {
    #[default]
    Deny,
    /// Introspection at the origin (RFC 7662); where that fails, deny.
    AskOrigin,
    /// Go on with the list in memory up to this age, and never past its `exp` + `grace`.
    AllowUpToSecs(u64),
}

/// Where a request wants to go, read from its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget<'u> {
    /// Path and query as they came, for the upstream.
    pub path_and_query: &'u str,
    /// Without the `?`.
    pub query: Option<&'u str>,
    /// The decoded path, for matching.
    pub path: String,
}

/// The path has more than one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The path can be read in more than one way")]
pub struct AmbiguousPath;

impl<'u> RequestTarget<'u> {
    /// `url` is absolute and serialised by the URL standard, as `Request.url` is.
    pub fn parse(url: &'u str) -> Result<Self, AmbiguousPath> {
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let authority_and_rest = &url[after_scheme..];
        let path_and_query = match authority_and_rest.find(['/', '?', '#']) {
            Some(at) if authority_and_rest[at..].starts_with('/') => &authority_and_rest[at..],
            _ => "/",
        };
        let path_and_query = path_and_query.split('#').next().unwrap_or("/");
        let (raw_path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        Ok(Self {
            path_and_query,
            query,
            path: decode_path(raw_path)?,
        })
    }
}

/// The first route that matches; `None` is denied by the caller.
#[must_use]
pub fn find_route<'r>(routes: &'r [Route], method: &str, path: &str) -> Option<&'r Route> {
    routes
        .iter()
        .find(|route| route.path.matches(path) && route.allows_method(method))
}

impl Route {
    fn allows_method(&self, method: &str) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|m| m.0 == method))
    }
}

fn decode_path(raw: &str) -> Result<String, AmbiguousPath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let literal = match byte {
            b'%' => match decode_escape(bytes.next(), bytes.next())? {
                b'/' | b'\\' | b'%' | b';' | 0..=0x1f | 0x7f => return Err(AmbiguousPath),
                escaped => escaped,
            },
            // Servers that know path parameters drop them, so `/a;x/b` is `/a/b` there.
            b'\\' | b';' => return Err(AmbiguousPath),
            other => other,
        };
        decoded.push(literal);
    }
    let path = String::from_utf8(decoded).map_err(|_| AmbiguousPath)?;
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_empty_inside = segment.is_empty() && segments.peek().is_some();
        if is_empty_inside || segment == "." || segment == ".." {
            return Err(AmbiguousPath);
        }
    }
    Ok(path)
}

fn decode_escape(high: Option<u8>, low: Option<u8>) -> Result<u8, AmbiguousPath> {
    let nibble = |digit: Option<u8>| {
        digit
            .and_then(|d| char::from(d).to_digit(16))
            .ok_or(AmbiguousPath)
    };
    let value = nibble(high)? * 16 + nibble(low)?;
    u8::try_from(value).map_err(|_| AmbiguousPath)
}

/// `/exact`, `/under/*` (what lies below, and `/under` itself) or `/begins-with*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PathPattern(String);

impl PathPattern {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn matches(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            None => self.0 == path,
            Some(prefix) => {
                path.starts_with(prefix)
                    || prefix
                        .strip_suffix('/')
                        .is_some_and(|folder| folder == path)
            }
        }
    }
}

impl TryFrom<String> for PathPattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.starts_with('/') {
            return Err("a path begins with `/`");
        }
        if text.trim_end_matches('*').contains('*') || text.ends_with("**") {
            return Err("a path has at most one `*`, at its end");
        }
        let literal = text.strip_suffix('*').unwrap_or(&text);
        if literal.contains(['%', '?', '#', ';', '\\']) || literal.chars().any(char::is_control) {
            return Err("a path is written decoded, without query or parameters");
        }
        Ok(Self(text))
    }
}

/// An HTTP method in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Method(String);

impl TryFrom<String> for Method {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err("a method is written in upper-case letters");
        }
        Ok(Self(text))
    }
}

/// Scopes as RFC 6749, section 3.3 writes them, one space apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RequiredScope(String);

impl RequiredScope {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }
}

impl TryFrom<String> for RequiredScope {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_scope_character = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_scope_character);
        if text.split(' ').all(is_name) {
            Ok(Self(text))
        } else {
            Err("a scope is one or more names with one space between them")
        }
    }
}
