//! The signature verifier of native hosts, on `jsonwebtoken`'s cryptography. It never sees a
//! header or a claim: those are read by the strict parser.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jsonwebtoken::crypto;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm as NativeAlgorithm, DecodingKey};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::keys::KeyMaterial;
use crate::verify::{SignatureCheck, SignatureError, SignatureVerifier};

/// Verifies on the calling thread; its answers are ready at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeVerifier;

impl SignatureVerifier for NativeVerifier {
    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        verify(check)
    }
}

/// Runs a verification whose verifier answers at once, as [`NativeVerifier`] does.
///
/// # Panics
/// If the future waits for something, which no verification by [`NativeVerifier`] does.
pub fn verify_now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a native verification waits for nothing"),
    }
}

fn verify(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
    let key = decoding_key(check.key.material())?;
    let algorithm = native_algorithm(check.key.algorithm());
    let signature = base64url::encode(check.signature);
    match crypto::verify(&signature, check.message, &key, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SignatureError::Invalid),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => SignatureError::Invalid,
            _ => SignatureError::EngineFailed,
        }),
    }
}

fn decoding_key(material: &KeyMaterial) -> Result<DecodingKey, SignatureError> {
    match material {
        KeyMaterial::Ed25519 { x } => DecodingKey::from_ed_components(&base64url::encode(x)),
        KeyMaterial::P256 { x, y } => from_ec_point(x, y),
        KeyMaterial::P384 { x, y } => from_ec_point(x, y),
        KeyMaterial::Rsa { n, e } => Ok(DecodingKey::from_rsa_raw_components(n, e)),
    }
    .map_err(|_| SignatureError::EngineFailed)
}

fn from_ec_point(x: &[u8], y: &[u8]) -> Result<DecodingKey, jsonwebtoken::errors::Error> {
    DecodingKey::from_ec_components(&base64url::encode(x), &base64url::encode(y))
}

const fn native_algorithm(algorithm: Algorithm) -> NativeAlgorithm {
    match algorithm {
        Algorithm::EdDsa => NativeAlgorithm::EdDSA,
        Algorithm::Es256 => NativeAlgorithm::ES256,
        Algorithm::Es384 => NativeAlgorithm::ES384,
        Algorithm::Rs256 => NativeAlgorithm::RS256,
        Algorithm::Rs384 => NativeAlgorithm::RS384,
        Algorithm::Rs512 => NativeAlgorithm::RS512,
        Algorithm::Ps256 => NativeAlgorithm::PS256,
        Algorithm::Ps384 => NativeAlgorithm::PS384,
        Algorithm::Ps512 => NativeAlgorithm::PS512,
    }
}
