//! One case as it stands on a line: a token, the keys, the time and the policy to hold it against,
//! and the verdict that the rules ask for.

use serde::Serialize;
use serde_json::value::RawValue;
use shared::{Algorithm, KeyError, KeySetError, TokenError, UnixSeconds};

use crate::forge::{AUDIENCE, ISSUER, NOW};
use crate::members::Members;
use crate::test_key::TestKey;

/// A case and what is expected of it.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// `class/name`, once in the corpus.
    pub id: String,
    /// The row of the attack table, the rule, or the RFC that it belongs to.
    pub class: String,
    /// `accept` or `reject`.
    pub expect: &'static str,
    /// The verdict's code: `ok`, or the reason to refuse.
    pub expect_code: &'static str,
    /// What is special about it.
    pub why: String,
    level: &'static str,
    /// The token.
    pub token: String,
    keys: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<UnixSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    /// The codes of the keys that are left out of the set, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_keys: Vec<&'static str>,
}

/// What a case asks of its token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Policy {
    /// The exact `iss`.
    pub(crate) issuer: String,
    /// What `aud` must contain.
    pub(crate) audience: String,
    /// The `typ` of the header.
    pub(crate) typ: String,
    /// The algorithms that are allowed.
    pub(crate) algorithms: Vec<&'static str>,
    /// How far clocks may differ.
    pub(crate) leeway_secs: u64,
    /// The longest `exp − iat`.
    pub(crate) max_lifetime_secs: u64,
    /// Whether `sid` and `client_id` are required.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) require_session: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            typ: "at+jwt".to_owned(),
            algorithms: Algorithm::ALL.into_iter().map(Algorithm::name).collect(),
            leeway_secs: 30,
            max_lifetime_secs: 3600,
            require_session: false,
        }
    }
}

/// The document of a key set, from the text of its keys.
pub(crate) fn key_set(keys: &[Members]) -> anyhow::Result<Box<RawValue>> {
    let keys: Vec<_> = keys.iter().map(Members::text).collect();
    let text = format!("{{\"keys\":[{}]}}", keys.join(","));
    Ok(RawValue::from_string(text)?)
}

impl Case {
    /// Holds the token against another key set.
    pub(crate) fn keys(&mut self, keys: &[Members]) -> anyhow::Result<&mut Self> {
        self.keys = key_set(keys)?;
        Ok(self)
    }

    /// Holds the token against any document in place of a key set.
    pub(crate) fn key_document(&mut self, document: String) -> anyhow::Result<&mut Self> {
        self.keys = RawValue::from_string(document)?;
        Ok(self)
    }

    /// Holds the token against the public halves of `keys`.
    pub(crate) fn signed_by_one_of(&mut self, keys: &[TestKey]) -> anyhow::Result<&mut Self> {
        let keys = keys
            .iter()
            .map(TestKey::jwk)
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.keys(&keys)
    }

    /// Names the keys of the set that are left out.
    pub(crate) fn leaving_out(&mut self, reasons: &[KeyError]) -> &mut Self {
        self.refused_keys = reasons.iter().map(|reason| reason.code()).collect();
        self
    }

    /// Sets the time, in milliseconds.
    pub(crate) fn at_millis(&mut self, now: u64) -> &mut Self {
        self.now = Some(UnixSeconds::from_millis(now));
        self
    }

    /// Changes the policy.
    pub(crate) fn policy(&mut self, change: impl FnOnce(&mut Policy)) -> &mut Self {
        let mut policy = self.policy.take().unwrap_or_default();
        change(&mut policy);
        self.policy = Some(policy);
        self
    }

    /// Stops after the signature: the payload may be anything.
    pub(crate) fn up_to_the_signature(&mut self) -> &mut Self {
        self.level = "signature";
        self.now = None;
        self.policy = None;
        self
    }
}

/// The cases of one class.
#[derive(Debug)]
pub(crate) struct Sheet {
    class: &'static str,
    keys: Box<RawValue>,
    cases: Vec<Case>,
}

impl Sheet {
    /// A sheet whose cases are held against `key`, unless they say otherwise.
    pub(crate) fn new(class: &'static str, key: TestKey) -> anyhow::Result<Self> {
        Ok(Self {
            class,
            keys: key_set(&[key.jwk()?])?,
            cases: Vec::new(),
        })
    }

    /// The cases, in order.
    pub(crate) fn into_cases(self) -> Vec<Case> {
        self.cases
    }

    /// A token that must pass.
    pub(crate) fn accept(&mut self, name: &str, why: &str, token: String) -> &mut Case {
        self.push(name, why, token, "accept", "ok")
    }

    /// A token that must be refused for this reason.
    pub(crate) fn refuse(
        &mut self,
        name: &str,
        reason: TokenError,
        why: &str,
        token: String,
    ) -> &mut Case {
        self.push(name, why, token, "reject", reason.code())
    }

    /// A case whose whole key set must be refused for this reason.
    pub(crate) fn refuse_set(
        &mut self,
        name: &str,
        reason: KeySetError,
        why: &str,
        token: String,
    ) -> &mut Case {
        self.push(name, why, token, "reject", reason.code())
    }

    fn push(
        &mut self,
        name: &str,
        why: &str,
        token: String,
        expect: &'static str,
        expect_code: &'static str,
    ) -> &mut Case {
        self.cases.push(Case {
            id: format!("{}/{name}", self.class),
            class: self.class.to_owned(),
            expect,
            expect_code,
            why: why.to_owned(),
            level: "token",
            token,
            keys: self.keys.clone(),
            now: Some(UnixSeconds::from_secs(NOW)),
            policy: Some(Policy::default()),
            refused_keys: Vec::new(),
        });
        // Unwrap safety: a case was pushed above.
        self.cases.last_mut().expect("just pushed")
    }
}
