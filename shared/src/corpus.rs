//! Verdicts on a corpus of tokens, one JSON line a case: how any engine is held against the rules.
//! The cases bring their keys, their time and their policy; nothing is looked up.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::algorithm::Algorithm;
use crate::error::{KeySetError, TokenError};
use crate::keys::KeySet;
use crate::time::UnixSeconds;
use crate::validate::ValidationPolicy;
use crate::verify::{SignatureVerifier, SignedToken, UnverifiedToken};

/// One case. Members that are not listed here (what is expected, and why) are for other readers.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    level: Level,
    token: String,
    keys: Box<RawValue>,
    now: Option<UnixSeconds>,
    policy: Option<CasePolicy>,
}

/// How far a case goes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Up to the signature; any payload will do.
    Signature,
    /// All the way to a valid access token.
    Token,
}

#[derive(Debug, Deserialize)]
struct CasePolicy {
    issuer: String,
    audience: String,
    typ: String,
    algorithms: Vec<String>,
    leeway_secs: u64,
    max_lifetime_secs: u64,
    /// Whether `sid` and `client_id` are required, as of our own issuer.
    #[serde(default)]
    require_session: bool,
}

/// One verdict.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    id: Option<&'a str>,
    #[serde(rename = "verdict")]
    outcome: &'static str,
    code: &'a str,
}

/// Runs the case in `line` and returns its verdict as one line of JSON without a line break:
/// `{"id", "verdict": "accept"|"reject", "code"}`. A line that is no case gets the verdict
/// `error` with `"id": null`.
pub async fn run_line(line: &str, verifier: &impl SignatureVerifier) -> String {
    let Ok(case) = serde_json::from_str::<Case>(line) else {
        return print(&Verdict {
            id: None,
            outcome: "error",
            code: "case_malformed",
        });
    };
    match run_case(&case, verifier).await {
        Ok(()) => print(&Verdict {
            id: Some(&case.id),
            outcome: "accept",
            code: "ok",
        }),
        Err(Fault::Refused(code)) => print(&Verdict {
            id: Some(&case.id),
            outcome: "reject",
            code,
        }),
        Err(Fault::NoCase(code)) => print(&Verdict {
            id: None,
            outcome: "error",
            code,
        }),
    }
}

fn print(verdict: &Verdict<'_>) -> String {
    // Unwrap safety: three strings under string names always serialise.
    serde_json::to_string(verdict).expect("a verdict is plain JSON")
}

/// Why a case was not accepted, as a code.
enum Fault {
    /// By a rule: this is the verdict.
    Refused(&'static str),
    /// Since something is missing that its level needs.
    NoCase(&'static str),
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        Self::Refused(error.code())
    }
}

impl From<KeySetError> for Fault {
    fn from(error: KeySetError) -> Self {
        Self::Refused(error.code())
    }
}

async fn run_case(case: &Case, verifier: &impl SignatureVerifier) -> Result<(), Fault> {
    let keys = KeySet::parse(case.keys.get().as_bytes())?;
    let token = UnverifiedToken::parse(&case.token)?;
    let token = token.verify_signature(&keys, verifier).await?;
    match case.level {
        Level::Signature => Ok(()),
        Level::Token => validate(case, token),
    }
}

fn validate(case: &Case, token: SignedToken) -> Result<(), Fault> {
    let now = case.now.ok_or(Fault::NoCase("case_now_missing"))?;
    let policy = case
        .policy
        .as_ref()
        .ok_or(Fault::NoCase("case_policy_missing"))?;
    token.validate(&policy.to_policy(), now)?;
    Ok(())
}

impl CasePolicy {
    /// Names of algorithms that are never accepted allow nothing, so they are left out.
    fn to_policy(&self) -> ValidationPolicy {
        ValidationPolicy {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            typ: self.typ.clone(),
            algorithms: self
                .algorithms
                .iter()
                .filter_map(|name| Algorithm::parse(name))
                .collect(),
            leeway_secs: self.leeway_secs,
            max_lifetime_secs: self.max_lifetime_secs,
            require_session: self.require_session,
        }
    }
}
