//! The Worker's configuration: text from the environment → one checked value, or the name of the
//! variable that is wrong. Pure; read once an isolate. There are no silent defaults for bad values.

use std::time::Duration;

use serde::Deserialize;
use shared::{KeySet, ListPins};

use crate::route::{Access, ListStalePolicy, Route};

const DEFAULT_CATCH_UP: Duration = Duration::from_millis(250);
/// Longer than a client should be kept waiting for a list that is no more than newer.
const MAX_CATCH_UP: Duration = Duration::from_secs(5);

/// No token of the origin's lives longer.
const MAX_INTROSPECTION_AGE_SECS: u64 = 3600;

/// The variables as the platform gives them: text as it is, tables and arrays as JSON text.
#[derive(Clone, Default)]
pub struct RawConfig {
    pub origin_url: Option<String>,
    pub upstream_url: Option<String>,
    pub list_issuer: Option<String>,
    pub list_keys: Option<String>,
    pub routes: Option<String>,
    pub pull_lane: Option<String>,
    pub catch_up_ms: Option<String>,
    pub list_header: Option<String>,
    pub decision_log: Option<String>,
    pub edge_secret: Option<String>,
}

#[derive(Debug)]
pub struct Config {
    /// Without a trailing slash.
    pub origin_url: String,
    /// Without a trailing slash.
    pub upstream_url: String,
    pub pins: ListPins,
    pub routes: Vec<Route>,
    pub pull_lane: Switch,
    /// How long a request that comes after a silence waits for what was missed; zero: not at all.
    pub catch_up: Duration,
    /// Whether answers show the list's version and age, for operators.
    pub list_header: Switch,
    pub decision_log: DecisionLog,
    pub edge_secret: Option<Secret>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    On,
    Off,
}

/// Which decisions are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionLog {
    All,
    Denied,
    None,
}

/// Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for an `Authorization` header and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::fmt::Debug for RawConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawConfig(..)")
    }
}

/// Which variable is wrong, and how. Holds no value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub reason: String,
}

impl Config {
    pub fn parse(raw: &RawConfig) -> Result<Self, ConfigError> {
        let routes = parse_routes(raw.routes.as_deref())?;
        let pull_lane = parse_choice("PULL_LANE", raw.pull_lane.as_deref(), Switch::On)?;
        let edge_secret = raw.edge_secret.as_deref().map(parse_secret).transpose()?;
        if edge_secret.is_none() && needs_secret(pull_lane, &routes) {
            return Err(error(
                "EDGE_SECRET",
                "is missing, and needed while PULL_LANE is on or a route asks the origin",
            ));
        }
        Ok(Self {
            origin_url: parse_url("ORIGIN_URL", raw.origin_url.as_deref())?,
            upstream_url: parse_url("UPSTREAM_URL", raw.upstream_url.as_deref())?,
            pins: parse_pins(raw)?,
            routes,
            pull_lane,
            catch_up: parse_catch_up(raw.catch_up_ms.as_deref())?,
            list_header: parse_choice("LIST_HEADER", raw.list_header.as_deref(), Switch::Off)?,
            decision_log: parse_choice(
                "DECISION_LOG",
                raw.decision_log.as_deref(),
                DecisionLog::All,
            )?,
            edge_secret,
        })
    }
}

fn error(variable: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError {
        variable,
        reason: reason.into(),
    }
}

fn require<'t>(variable: &'static str, text: Option<&'t str>) -> Result<&'t str, ConfigError> {
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| error(variable, "is missing"))
}

fn needs_secret(pull_lane: Switch, routes: &[Route]) -> bool {
    pull_lane == Switch::On
        || routes
            .iter()
            .any(|route| route.when_list_stale == ListStalePolicy::AskOrigin)
}

fn parse_routes(text: Option<&str>) -> Result<Vec<Route>, ConfigError> {
    let text = require("ROUTES", text)?;
    let routes: Vec<Route> =
        serde_json::from_str(text).map_err(|cause| error("ROUTES", cause.to_string()))?;
    if routes.is_empty() {
        return Err(error(
            "ROUTES",
            "has no route, so every request would be denied",
        ));
    }
    match routes
        .iter()
        .find_map(|route| Some((route, find_fault(route)?)))
    {
        Some((route, fault)) => {
            let reason = format!("{}: {fault}", route.path.as_str());
            Err(error("ROUTES", reason))
        }
        None => Ok(routes),
    }
}

/// A condition that has no effect, though whoever wrote it believes that it is kept; or no sense.
fn find_fault(route: &Route) -> Option<&'static str> {
    let is_public = route.access == Access::Public;
    let asks_origin = route.when_list_stale == ListStalePolicy::AskOrigin;
    if is_public
        && (route.scope.is_some()
            || route.max_list_age_secs.is_some()
            || route.when_list_stale != ListStalePolicy::Deny)
    {
        return Some("a public route checks no token and no list");
    }
    match route.max_introspection_age_secs {
        0 => None,
        1..=MAX_INTROSPECTION_AGE_SECS if asks_origin => None,
        _ => Some("max_introspection_age_secs is for routes that ask the origin, and at most 3600"),
    }
}

fn parse_pins(raw: &RawConfig) -> Result<ListPins, ConfigError> {
    let text = require("LIST_KEYS", raw.list_keys.as_deref())?;
    let keys =
        KeySet::parse(text.as_bytes()).map_err(|cause| error("LIST_KEYS", cause.to_string()))?;
    if let Some(refused) = keys.refused().first() {
        let reason = format!("key {} cannot be used: {}", refused.index, refused.reason);
        return Err(error("LIST_KEYS", reason));
    }
    if keys.keys().is_empty() {
        return Err(error("LIST_KEYS", "has no key"));
    }
    let issuer = require("LIST_ISSUER", raw.list_issuer.as_deref())?.to_owned();
    Ok(ListPins { issuer, keys })
}

fn parse_choice<T: for<'de> Deserialize<'de>>(
    variable: &'static str,
    text: Option<&str>,
    default: T,
) -> Result<T, ConfigError> {
    let Some(text) = text else { return Ok(default) };
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|cause| error(variable, cause.to_string()))
}

fn parse_catch_up(text: Option<&str>) -> Result<Duration, ConfigError> {
    let Some(text) = text else {
        return Ok(DEFAULT_CATCH_UP);
    };
    text.parse()
        .map(Duration::from_millis)
        .ok()
        .filter(|patience| *patience <= MAX_CATCH_UP)
        .ok_or_else(|| {
            error(
                "CATCH_UP_MS",
                "is not a number of milliseconds from 0 to 5000",
            )
        })
}

fn parse_secret(text: &str) -> Result<Secret, ConfigError> {
    let is_header_safe = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || !is_header_safe {
        return Err(error(
            "EDGE_SECRET",
            "is empty or has a character other than visible ASCII",
        ));
    }
    Ok(Secret(text.to_owned()))
}

fn parse_url(variable: &'static str, text: Option<&str>) -> Result<String, ConfigError> {
    let text = require(variable, text)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#']);
    if host.is_empty() || host.contains('@') || !is_plain {
        let reason = "is not an http(s) URL with a host and without user, query or fragment";
        return Err(error(variable, reason));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
