//! A look at everything that the origin depends on, one part after the other. It repairs nothing, and
//! makes no key; an empty SQLite file or mail folder is made where there is none, and a value that lives a
//! minute is written to KV. Each finding says what is wrong and what to do. It does not print.

mod parts;

use serde::Serialize;

use crate::config::Config;

/// What was found of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub part: &'static str,
    pub state: State,
    pub found: String,
    /// What to do about it; `None` where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// It works, but not as one would wish in production.
    Doubtful,
    Broken,
}

impl Finding {
    fn ok(part: &'static str, found: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Ok,
            found: found.into(),
            advice: None,
        }
    }

    fn doubtful(part: &'static str, found: impl Into<String>, advice: &'static str) -> Self {
        Self {
            state: State::Doubtful,
            advice: Some(advice),
            ..Self::ok(part, found)
        }
    }

    fn broken(part: &'static str, found: impl Into<String>, advice: &'static str) -> Self {
        Self {
            state: State::Broken,
            advice: Some(advice),
            ..Self::ok(part, found)
        }
    }
}

/// Looks at every part; a part that is broken hides no other.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        parts::issuer(config),
        parts::keys(config),
        parts::edge_secret(config),
    ];
    findings.extend(parts::database(config).await);
    findings.push(parts::redis(config).await);
    findings.push(parts::kv(config).await);
    findings.push(parts::mail(config).await);
    findings
}
