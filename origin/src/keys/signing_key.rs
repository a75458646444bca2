//! A private key that signs compact JWS with the one algorithm that it is pinned to. Its public
//! half leaves as a JWK; its private half does not leave.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::{Value, json};
use shared::Algorithm;

/// What this origin signs with.
const ISSUING: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];
const PEM_TAG: &str = "PRIVATE KEY";
/// As long as the 128 bits of security of the other two algorithms ask for (NIST SP 800-57).
const RSA_KEY_SIZE: KeySize = KeySize::Rsa3072;

pub struct SigningKey {
    /// Thumbprint of the public half (RFC 7638).
    pub kid: String,
    pub algorithm: Algorithm,
    pair: KeyPair,
    public_jwk: Value,
}

enum KeyPair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    #[error("it is not PEM with the label PRIVATE KEY")]
    NotPem,
    #[error("it is not a key of this algorithm, or a malformed or weak one")]
    Rejected,
    #[error("this algorithm is not one that the origin signs with")]
    UnsupportedAlgorithm,
    #[error("the cryptographic library failed")]
    EngineFailed,
}

/// The cryptographic library could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed to sign")]
pub struct SigningError;

impl SigningKey {
    /// Reads an unencrypted PKCS#8 private key (RFC 5958) in PEM.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, SigningKeyError> {
        let block = pem::parse(text.trim()).map_err(|_| SigningKeyError::NotPem)?;
        if block.tag() != PEM_TAG {
            return Err(SigningKeyError::NotPem);
        }
        Self::from_pair(algorithm, KeyPair::from_pkcs8(algorithm, block.contents())?)
    }

    /// Like [`Self::from_pem`], of whichever algorithm the key is.
    pub(super) fn from_pem_of_any(text: &str) -> Result<Self, SigningKeyError> {
        let mut refused = SigningKeyError::Rejected;
        for algorithm in ISSUING {
            match Self::from_pem(algorithm, text) {
                Ok(key) => return Ok(key),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Each PEM block of the text as a text of its own.
    pub(super) fn split_pem(text: &str) -> Result<Vec<String>, SigningKeyError> {
        let blocks = pem::parse_many(text).map_err(|_| SigningKeyError::NotPem)?;
        Ok(blocks.iter().map(pem::encode).collect())
    }

    /// A new key, and its PKCS#8 PEM text to keep.
    pub(super) fn generate(algorithm: Algorithm) -> Result<(Self, String), SigningKeyError> {
        let pkcs8 = generate_pkcs8(algorithm)?;
        let pair = KeyPair::from_pkcs8(algorithm, &pkcs8)?;
        let pem = pem::encode(&pem::Pem::new(PEM_TAG, pkcs8));
        Ok((Self::from_pair(algorithm, pair)?, pem))
    }

    fn from_pair(algorithm: Algorithm, pair: KeyPair) -> Result<Self, SigningKeyError> {
        let mut public_jwk = pair.public_members();
        let kid = thumbprint(&public_jwk)?;
        public_jwk["alg"] = algorithm.name().into();
        public_jwk["use"] = "sig".into();
        public_jwk["kid"] = kid.as_str().into();
        Ok(Self {
            kid,
            algorithm,
            pair,
            public_jwk,
        })
    }

    /// The compact JWS over `payload` (RFC 7515), with `alg`, `kid` and the given `typ`.
    pub fn sign(&self, typ: &str, payload: &str) -> Result<String, SigningError> {
        let header = json!({ "alg": self.algorithm.name(), "kid": self.kid, "typ": typ });
        let mut jws = BASE64URL.encode(header.to_string());
        jws.push('.');
        BASE64URL.encode_string(payload, &mut jws);
        let signature = self.pair.sign(jws.as_bytes())?;
        jws.push('.');
        BASE64URL.encode_string(signature, &mut jws);
        Ok(jws)
    }

    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.public_jwk.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl KeyPair {
    fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519),
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::P256)
            }
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            _ => return Err(SigningKeyError::UnsupportedAlgorithm),
        };
        pair.map_err(|_| SigningKeyError::Rejected)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.try_sign(message).map(|s| s.as_ref().to_vec()),
            Self::P256(pair) => pair.sign(&random, message).map(|s| s.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| SigningError)
    }

    /// The members that a thumbprint covers (RFC 7638, section 3.2; RFC 8037, section 2).
    fn public_members(&self) -> Value {
        match self {
            Self::Ed25519(pair) => {
                let x = BASE64URL.encode(pair.public_key());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
            Self::P256(pair) => {
                // An uncompressed point: 0x04, x, y (SEC 1, section 2.3.3).
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({
                    "kty": "EC", "crv": "P-256", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y)
                })
            }
            Self::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({
                    "kty": "RSA", "n": BASE64URL.encode(public.n), "e": BASE64URL.encode(public.e)
                })
            }
        }
    }
}

fn thumbprint(public_members: &Value) -> Result<String, SigningKeyError> {
    serde_json::from_value::<Jwk>(public_members.clone())
        .map_err(|_| SigningKeyError::EngineFailed)?
        .thumbprint(ThumbprintHash::SHA256)
        .map_err(|_| SigningKeyError::EngineFailed)
}

fn generate_pkcs8(algorithm: Algorithm) -> Result<Vec<u8>, SigningKeyError> {
    let random = SystemRandom::new();
    let pkcs8 = match algorithm {
        Algorithm::EdDsa => {
            Ed25519KeyPair::generate_pkcs8v1(&random).map(|document| document.as_ref().to_vec())
        }
        Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map(|document| document.as_ref().to_vec()),
        Algorithm::Rs256 => RsaKeyPair::generate(RSA_KEY_SIZE).and_then(|pair| {
            let der: Pkcs8V1Der<'_> = pair.as_der()?;
            Ok(der.as_ref().to_vec())
        }),
        _ => return Err(SigningKeyError::UnsupportedAlgorithm),
    };
    pkcs8.map_err(|_| SigningKeyError::EngineFailed)
}
