//! Makes keys and signs tokens and heads with them, as an origin would. For benchmarks only: the
//! keys live as long as the run.

use anyhow::{Context, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use shared::Algorithm;

#[derive(Debug)]
pub(super) struct Signer {
    algorithm: Algorithm,
    kid: String,
    pair: KeyPair,
}

#[derive(Debug)]
enum KeyPair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    pub(super) fn generate(algorithm: Algorithm, kid: &str) -> anyhow::Result<Self> {
        let pair = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(KeyPair::Ed25519),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(KeyPair::P256)
            }
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(KeyPair::Rsa),
            other => bail!("no benchmark signs with {}", other.name()),
        };
        Ok(Self {
            algorithm,
            kid: kid.to_owned(),
            pair: pair.ok().context("cannot make a key")?,
        })
    }

    /// The compact JWS over `payload` (RFC 7515).
    pub(super) fn sign(&self, typ: &str, payload: &str) -> anyhow::Result<String> {
        let header = json!({ "alg": self.algorithm.name(), "kid": self.kid, "typ": typ });
        let mut jws = BASE64URL.encode(header.to_string());
        jws.push('.');
        BASE64URL.encode_string(payload, &mut jws);
        let signature = self.pair.sign(jws.as_bytes())?;
        jws.push('.');
        BASE64URL.encode_string(signature, &mut jws);
        Ok(jws)
    }

    pub(super) fn public_jwk(&self) -> Value {
        let mut jwk = self.pair.public_members();
        jwk["alg"] = self.algorithm.name().into();
        jwk["kid"] = self.kid.as_str().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

impl KeyPair {
    fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.try_sign(message).map(|bytes| bytes.as_ref().to_vec()),
            Self::P256(pair) => pair
                .sign(&random, message)
                .map(|bytes| bytes.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut bytes)
                    .map(|()| bytes)
            }
        }
        .ok()
        .context("cannot sign")
    }

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
