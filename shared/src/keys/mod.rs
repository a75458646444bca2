//! Key sets (RFC 7517): which keys of a JWKS can verify, each pinned to one algorithm. A key that
//! cannot is left out by itself and named; the rest of the set works.

mod material;
mod rsa;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;
use crate::error::{KeyError, KeySetError};
use crate::ids::KeyId;
use crate::json::{self, Json, JsonObject};

pub use material::KeyMaterial;

/// The most keys in a set: a bound on the work, far above what anyone publishes.
const MAX_KEYS: usize = 100;

/// JWK members of a private or a symmetric key (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// The usable keys of a JWKS.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    refused: Vec<RefusedKey>,
}

/// A public key that verifies with exactly one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    kid: Option<KeyId>,
    algorithm: Algorithm,
    material: KeyMaterial,
    fingerprint: [u8; 32],
}

/// A key that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Its `kid`, if that is a string.
    pub kid: Option<String>,
    /// Why it was left out.
    pub reason: KeyError,
}

impl KeySet {
    /// Reads a JWKS document.
    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        let document = json::parse_object(jwks).map_err(|_| KeySetError::Malformed)?;
        let keys = document
            .get("keys")
            .and_then(Json::as_array)
            .ok_or(KeySetError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let repeated = repeated_kids(keys);
        let mut set = Self::default();
        for (index, key) in keys.iter().enumerate() {
            let kid = kid_text(key);
            let reason = match VerifyingKey::parse(key) {
                Ok(_) if kid.is_some_and(|kid| repeated.contains(&kid)) => KeyError::KeyIdRepeated,
                Ok(key) => {
                    set.keys.push(key);
                    continue;
                }
                Err(reason) => reason,
            };
            set.refused.push(RefusedKey {
                index,
                kid: kid.map(str::to_owned),
                reason,
            });
        }
        Ok(set)
    }

    /// Reads a JWKS document that was parsed elsewhere.
    pub fn from_value(jwks: &serde_json::Value) -> Result<Self, KeySetError> {
        Self::parse(jwks.to_string().as_bytes())
    }

    /// The usable keys, in the order of the set.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that were left out, for a log line each.
    #[must_use]
    pub fn refused(&self) -> &[RefusedKey] {
        &self.refused
    }
}

/// Every `kid` that more than one key has, usable or not: which of them is meant is a guess.
fn repeated_kids<'a>(keys: &'a [Json<'_>]) -> Vec<&'a str> {
    let mut counts = BTreeMap::new();
    for kid in keys.iter().filter_map(kid_text) {
        *counts.entry(kid).or_insert(0_u32) += 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(kid, _)| kid)
        .collect()
}

fn kid_text<'a>(key: &'a Json<'_>) -> Option<&'a str> {
    key.as_object()?.get("kid")?.as_str()
}

impl VerifyingKey {
    fn parse(key: &Json<'_>) -> Result<Self, KeyError> {
        let members = key.as_object().ok_or(KeyError::NotAnObject)?;
        refuse_secrets(members)?;
        refuse_other_uses(members)?;
        let kid = parse_kid(members)?;
        let material = KeyMaterial::parse(members)?;
        let algorithm = parse_pinned_algorithm(members, &material)?;
        let fingerprint = fingerprint(algorithm, &material);
        Ok(Self {
            kid,
            algorithm,
            material,
            fingerprint,
        })
    }

    /// The key's name in its set.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The one algorithm that this key verifies with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public numbers.
    #[must_use]
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// SHA-256 over algorithm and numbers: the same key has the same fingerprint in every set.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// How many bytes a signature by this key has.
    #[must_use]
    pub fn signature_bytes(&self) -> usize {
        match &self.material {
            KeyMaterial::Ed25519 { .. } | KeyMaterial::P256 { .. } => 64,
            KeyMaterial::P384 { .. } => 96,
            KeyMaterial::Rsa { n, .. } => n.len(),
        }
    }
}

fn refuse_secrets(members: &JsonObject<'_>) -> Result<(), KeyError> {
    let kty = members.get("kty").ok_or(KeyError::TypeMissing)?;
    if kty.as_str() == Some("oct") || members.contains_key("k") {
        return Err(KeyError::Symmetric);
    }
    if PRIVATE_MEMBERS
        .iter()
        .any(|name| members.contains_key(*name))
    {
        return Err(KeyError::Private);
    }
    Ok(())
}

/// RFC 7517, sections 4.2 and 4.3.
fn refuse_other_uses(members: &JsonObject<'_>) -> Result<(), KeyError> {
    match members.get("use").map(Json::as_str) {
        None | Some(Some("sig")) => {}
        Some(_) => return Err(KeyError::UseForbids),
    }
    let Some(operations) = members.get("key_ops") else {
        return Ok(());
    };
    match operations.as_strings() {
        Some(operations) if operations.contains(&"verify") => Ok(()),
        _ => Err(KeyError::OperationsForbid),
    }
}

fn parse_kid(members: &JsonObject<'_>) -> Result<Option<KeyId>, KeyError> {
    let Some(kid) = members.get("kid") else {
        return Ok(None);
    };
    let text = kid.as_str().ok_or(KeyError::KeyIdInvalid)?;
    KeyId::parse(text)
        .map(Some)
        .map_err(|_| KeyError::KeyIdInvalid)
}

/// The algorithm that `alg` names, or the one that a key of this kind has without it.
fn parse_pinned_algorithm(
    members: &JsonObject<'_>,
    material: &KeyMaterial,
) -> Result<Algorithm, KeyError> {
    let Some(alg) = members.get("alg") else {
        return Ok(material.default_algorithm());
    };
    let algorithm = alg
        .as_str()
        .and_then(Algorithm::parse)
        .ok_or(KeyError::AlgorithmRefused)?;
    if material.supports(algorithm) {
        Ok(algorithm)
    } else {
        Err(KeyError::AlgorithmRefused)
    }
}

fn fingerprint(algorithm: Algorithm, material: &KeyMaterial) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(algorithm.name());
    for number in material.numbers() {
        hash.update([0]);
        hash.update((number.len() as u64).to_be_bytes());
        hash.update(number);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
