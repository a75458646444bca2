//! The token keys as they are now: which of them signs, and which are published. It is a value, made
//! anew from the table when that has changed; it does not know how keys come and go.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{Algorithm, KeySet, KeySetError, UnixSeconds};

use super::SigningKey;
use crate::store::token_keys::TokenKeyRow;

#[derive(Debug)]
pub struct KeyRing {
    /// Those that lists carry, the oldest first.
    live: Vec<TokenKeyRow>,
    /// Those of them whose private half is here.
    held: Vec<Arc<SigningKey>>,
    key_set: KeySet,
}

impl KeyRing {
    pub fn new(rows: &[TokenKeyRow], held: &[Arc<SigningKey>]) -> Result<Self, KeySetError> {
        let live: Vec<TokenKeyRow> = rows.iter().filter(|row| row.is_live()).cloned().collect();
        let is_live = |key: &Arc<SigningKey>| live.iter().any(|row| row.kid == key.kid);
        Ok(Self {
            held: held.iter().filter(|key| is_live(key)).cloned().collect(),
            key_set: KeySet::from_value(&jwks(&live))?,
            live,
        })
    }

    #[must_use]
    pub fn live(&self) -> &[TokenKeyRow] {
        &self.live
    }

    #[must_use]
    pub fn key_set(&self) -> &KeySet {
        &self.key_set
    }

    /// As published (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Value {
        jwks(&self.live)
    }

    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        algorithms(&self.live)
    }

    /// The newest of the keys held here that every edge has; `None`: there is none yet.
    #[must_use]
    pub fn signer(&self, now: UnixSeconds) -> Option<&Arc<SigningKey>> {
        let newest = self
            .live
            .iter()
            .filter(|row| row.may_sign(now) && self.find_held(&row.kid).is_some())
            .max_by_key(|row| row.rank())?;
        self.find_held(&newest.kid)
    }

    /// The newest of the keys held here, whether it signs already or not.
    #[must_use]
    pub fn newest_held(&self) -> Option<&TokenKeyRow> {
        self.live
            .iter()
            .filter(|row| self.find_held(&row.kid).is_some())
            .max_by_key(|row| row.rank())
    }

    fn find_held(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        self.held.iter().find(|key| key.kid == kid)
    }
}

fn jwks(live: &[TokenKeyRow]) -> Value {
    let keys: Vec<&Value> = live.iter().map(|row| &row.public_jwk).collect();
    json!({ "keys": keys })
}

/// Each once, in the order of the keys.
#[must_use]
pub fn algorithms(live: &[TokenKeyRow]) -> Vec<Algorithm> {
    let mut algorithms = Vec::new();
    for row in live {
        if !algorithms.contains(&row.algorithm) {
            algorithms.push(row.algorithm);
        }
    }
    algorithms
}
