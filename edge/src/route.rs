//! Which rule a request falls under: the routes of the configuration, first match wins. Knows
//! nothing of tokens, and gets paths decoded (see `request_target`).

use serde::Deserialize;

/// One rule, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// An exact path, or a prefix that ends in `*`.
    pub path: PathPattern,
    /// Upper-case methods, `GET` with `HEAD`; none means all.
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
    /// How old the origin's word about a token may be where the origin is asked, and lets its word be
    /// kept. 0 asks each time.
    #[serde(default)]
    pub max_introspection_age_secs: u64,
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

/// The first route that matches; `None` is denied by the caller.
#[must_use]
pub fn find_route<'r>(routes: &'r [Route], method: &str, path: &str) -> Option<&'r Route> {
    routes
        .iter()
        .find(|route| route.path.matches(path) && route.allows_method(method))
}

impl Route {
    /// What holds for `GET` holds for `HEAD`: a server answers it with the same page but for the body
    /// (RFC 9110, section 9.3.2), so it must not fall under a laxer rule further down.
    fn allows_method(&self, method: &str) -> bool {
        let is_named = |named: &Method| named.0 == method || (method == "HEAD" && named.0 == "GET");
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(is_named))
    }
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
