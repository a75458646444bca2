//! What a request came to: the reply, and the one line that the log gets of it.

use serde::Serialize;
use shared::RevocationList;

use crate::config::DecisionLog;
use crate::decision::DenyReason;
use crate::evidence::{CacheUse, Evidence};
use crate::platform::{Reply, clock, log, reply};
use crate::response::{build_denial, code_of};
use crate::route::Route;
use crate::status::round_to_millis;

#[derive(Debug)]
pub struct Outcome {
    pub reply: Reply,
    verdict: Verdict,
    code: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Allowed,
    Denied,
}

/// Holds nothing that the client wrote.
#[derive(Serialize)]
struct DecisionLine<'a> {
    event: &'static str,
    /// The route's pattern, as configured.
    route: Option<&'a str>,
    outcome: Verdict,
    code: &'static str,
    list_version: Option<u64>,
    list_age_secs: Option<f64>,
    cache: CacheUse,
}

impl Outcome {
    #[must_use]
    pub fn allowed(reply: Reply, code: &'static str) -> Self {
        Self {
            reply,
            verdict: Verdict::Allowed,
            code,
        }
    }

    #[must_use]
    pub fn denied(reason: &DenyReason) -> Self {
        let reply = Reply::Response(reply::build(&build_denial(reason)));
        Self {
            reply,
            verdict: Verdict::Denied,
            code: code_of(reason),
        }
    }

    pub fn log(&self, wanted: DecisionLog, route: Option<&Route>, evidence: &Evidence<'_>) {
        let is_wanted = match wanted {
            DecisionLog::All => true,
            DecisionLog::Denied => self.verdict == Verdict::Denied,
            DecisionLog::None => false,
        };
        if is_wanted {
            let age_secs = |list: &RevocationList| round_to_millis(list.age_secs(clock::now()));
            log::info(&DecisionLine {
                event: "decision",
                route: route.map(|route| route.path.as_str()),
                outcome: self.verdict,
                code: self.code,
                list_version: evidence.list().map(RevocationList::version),
                list_age_secs: evidence.list().map(age_secs),
                cache: evidence.cache_use(),
            });
        }
    }
}
