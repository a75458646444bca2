//! From text to a signed token: which key, and whether it signed. The algorithm is the key's,
//! never the token's choice (RFC 8725, section 3.1).

use std::cell::OnceCell;
use std::future::Future;

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::curve;
use crate::error::TokenError;
use crate::ids::KeyId;
use crate::json;
use crate::jws::{CompactJws, MAX_TOKEN_BYTES};
use crate::keys::{KeyMaterial, KeySet, VerifyingKey};

/// The one effect that verifying needs: a host's signature engine.
pub trait SignatureVerifier {
    /// Whether `check.signature` is one of `check.key` over `check.message`.
    fn verify(
        &self,
        check: &SignatureCheck<'_>,
    ) -> impl Future<Output = Result<(), SignatureError>>;
}

/// What an engine is asked. The length of the signature, and for Ed25519 the encoding of its
/// point, were looked at before.
#[derive(Clone, Copy, Debug)]
pub struct SignatureCheck<'a> {
    /// The key, with the algorithm that it is pinned to.
    pub key: &'a VerifyingKey,
    /// The bytes that were signed.
    pub message: &'a [u8],
    /// The raw signature: 64 or 96 bytes R‖S, or as long as the RSA modulus.
    pub signature: &'a [u8],
}

/// Why an engine did not confirm a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The key did not sign this.
    Invalid,
    /// The engine itself failed: a fault of the host, never a verdict on the token.
    EngineFailed,
}

/// An access token as it came: well-formed, and nothing more.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    jws: CompactJws<'t>,
    /// Read with the issuer, so that the payload is read once; not shown before the signature is
    /// verified.
    claims: OnceCell<Claims>,
}

impl<'t> UnverifiedToken<'t> {
    /// Reads a compact JWS of at most [`MAX_TOKEN_BYTES`] (RFC 7515, section 7.1).
    pub fn parse(text: &'t str) -> Result<Self, TokenError> {
        let jws = CompactJws::parse(text, MAX_TOKEN_BYTES)?;
        let claims = OnceCell::new();
        Ok(Self { jws, claims })
    }

    /// The `iss` of a token that nobody has verified: good for choosing whose keys to try.
    pub fn unverified_issuer(&self) -> Result<String, TokenError> {
        if let Ok(claims) = Claims::parse(&self.jws.payload) {
            return Ok(self.claims.get_or_init(|| claims).iss.clone());
        }
        let members = json::parse_object(&self.jws.payload).map_err(TokenError::of_payload)?;
        let issuer = members.get("iss").ok_or(TokenError::IssuerMissing)?;
        issuer
            .as_str()
            .map(str::to_owned)
            .ok_or(TokenError::IssuerInvalid)
    }

    /// Asks `verifier` whether the selected key signed this token.
    pub async fn verify_signature(
        self,
        keys: &KeySet,
        verifier: &impl SignatureVerifier,
    ) -> Result<SignedToken, TokenError> {
        let key = select_key(&self.jws, keys)?;
        verify_with_key(&self.jws, key, verifier).await?;
        Ok(SignedToken {
            algorithm: key.algorithm(),
            key_fingerprint: key.fingerprint(),
            kid: self.jws.header.kid,
            typ: self.jws.header.typ,
            payload: self.jws.payload,
            claims: self.claims.into_inner(),
        })
    }
}

/// A token that a trusted key signed. Whether it is meant for us, and when, is not known yet.
#[derive(Clone, Debug)]
pub struct SignedToken {
    algorithm: Algorithm,
    key_fingerprint: [u8; 32],
    kid: Option<KeyId>,
    typ: Option<String>,
    payload: Vec<u8>,
    claims: Option<Claims>,
}

impl SignedToken {
    /// What the signed bytes say, if that is claims.
    pub(crate) fn take_claims(&mut self) -> Result<Claims, TokenError> {
        let read = self.claims.take();
        read.map_or_else(|| Claims::parse(&self.payload), Ok)
    }

    /// The signed bytes, whatever they are.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The header's `typ`, as written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The header's `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The algorithm of the key that signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// [`VerifyingKey::fingerprint`] of the key that signed.
    #[must_use]
    pub fn key_fingerprint(&self) -> [u8; 32] {
        self.key_fingerprint
    }
}

/// A `kid` must match; without one the set must leave no choice.
pub(crate) fn select_key<'k>(
    jws: &CompactJws<'_>,
    keys: &'k KeySet,
) -> Result<&'k VerifyingKey, TokenError> {
    let key = match (&jws.header.kid, keys.keys()) {
        (_, []) => return Err(TokenError::NoUsableKey),
        (None, [only]) => only,
        (None, _) => return Err(TokenError::KeyIdMissing),
        (Some(kid), keys) => {
            let is_named = |key: &&VerifyingKey| key.kid() == Some(kid);
            keys.iter().find(is_named).ok_or(TokenError::UnknownKey)?
        }
    };
    if key.algorithm() == jws.header.algorithm {
        Ok(key)
    } else {
        Err(TokenError::AlgorithmMismatch)
    }
}

/// Looks at what engines differ on, then asks the engine.
pub(crate) async fn verify_with_key(
    jws: &CompactJws<'_>,
    key: &VerifyingKey,
    verifier: &impl SignatureVerifier,
) -> Result<(), TokenError> {
    if jws.signature.len() != key.signature_bytes() {
        return Err(TokenError::SignatureLength);
    }
    if !has_strict_point(key, &jws.signature) {
        return Err(TokenError::SignaturePoint);
    }
    let check = SignatureCheck {
        key,
        message: jws.signing_input,
        signature: &jws.signature,
    };
    verifier.verify(&check).await.map_err(|error| match error {
        SignatureError::Invalid => TokenError::SignatureInvalid,
        SignatureError::EngineFailed => TokenError::EngineFailed,
    })
}

/// Ed25519 only: R is in its one encoding and not of small order. With it every engine's
/// equation gives one answer, since `S ≥ L` is refused by all of them (RFC 8032, section 5.1.7).
fn has_strict_point(key: &VerifyingKey, signature: &[u8]) -> bool {
    match (key.material(), signature.first_chunk::<32>()) {
        (KeyMaterial::Ed25519 { .. }, Some(point)) => curve::is_strict_ed25519_encoding(point),
        (KeyMaterial::Ed25519 { .. }, None) => false,
        _ => true,
    }
}

impl TokenError {
    pub(crate) fn of_payload(fault: json::JsonError) -> Self {
        match fault {
            json::JsonError::Malformed => Self::PayloadJson,
            json::JsonError::NotAnObject => Self::PayloadNotAnObject,
            json::JsonError::DuplicateMember => Self::PayloadDuplicateMember,
            json::JsonError::TooDeep => Self::PayloadTooDeep,
        }
    }
}
