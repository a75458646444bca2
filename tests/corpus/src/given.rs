//! Tokens and keys that could not be made here: the examples of the RFCs, and tokens signed by RSA
//! keys that no honest library makes or uses.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::members::Members;

/// Given tokens by name.
#[derive(Debug)]
pub(crate) struct Given(BTreeMap<String, GivenToken>);

/// A token and the public key that belongs to it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GivenToken {
    /// The token, as it was given.
    pub(crate) token: String,
    jwk: Map<String, Value>,
}

impl Given {
    /// Reads the committed files.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let mut all: BTreeMap<_, _> = serde_json::from_str(include_str!("../given/rfc.json"))?;
        let rsa: BTreeMap<_, _> = serde_json::from_str(include_str!("../given/rsa.json"))?;
        all.extend(rsa);
        Ok(Self(all))
    }

    /// The token with this name.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<&GivenToken> {
        self.0.get(name).with_context(|| name.to_owned())
    }
}

impl GivenToken {
    /// The public key, as it was given.
    pub(crate) fn jwk(&self) -> Members {
        let mut jwk = Members::new();
        for name in ["kty", "crv", "n", "e", "x", "y", "k", "alg", "kid"] {
            if let Some(value) = self.jwk.get(name) {
                jwk = jwk.with(name, value);
            }
        }
        jwk
    }
}
