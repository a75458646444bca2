//! Signatures by the host's WebCrypto. Imported keys are kept by their fingerprint; the token's
//! bytes are handed over as a view of Wasm memory, in one crossing.

use std::cell::RefCell;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{self, Array, Object, Reflect};
use shared::{
    Algorithm, KeyMaterial, SignatureCheck, SignatureError, SignatureVerifier, VerifyingKey,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};
use worker::web_sys::WorkerGlobalScope;

use super::wait;

/// Far above the keys that a list names; a bound all the same.
const MAX_IMPORTED_KEYS: usize = 64;

/// How the verifier waits for the host's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebCryptoVerifier {
    /// Beside other work of the same call.
    Concurrent,
    /// The call waits for nothing else meanwhile: then it need not go through the executor.
    Alone,
}

#[derive(Debug, Clone)]
struct ImportedKey {
    key: CryptoKey,
    /// The parameters of `verify`, built once.
    algorithm: Object,
}

thread_local! {
    pub(super) static SUBTLE: SubtleCrypto = {
        let global: WorkerGlobalScope = js_sys::global().unchecked_into();
        // Unwrap safety: every Worker has `crypto`; without it nothing can be verified, and the
        // panic is answered with 503.
        global.crypto().expect("the host has WebCrypto").subtle()
    };
    static IMPORTED: RefCell<HashMap<[u8; 32], ImportedKey>> = RefCell::default();
}

/// Forgets imported keys: the list has other keys now.
pub fn forget_keys() {
    IMPORTED.with(|imported| imported.borrow_mut().clear());
}

impl SignatureVerifier for WebCryptoVerifier {
    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        let imported = find_or_import(check.key)
            .await
            .map_err(|_| SignatureError::EngineFailed)?;
        let answer = SUBTLE
            .with(|subtle| {
                subtle.verify_with_object_and_u8_array_and_u8_array(
                    &imported.algorithm,
                    &imported.key,
                    check.signature,
                    check.message,
                )
            })
            .map_err(|_| SignatureError::EngineFailed)?;
        let answer = match self {
            Self::Concurrent => JsFuture::from(answer).await,
            Self::Alone => wait::settle(answer).await,
        };
        match answer {
            Ok(verdict) if verdict.is_truthy() => Ok(()),
            Ok(_) => Err(SignatureError::Invalid),
            Err(_) => Err(SignatureError::EngineFailed),
        }
    }
}

async fn find_or_import(key: &VerifyingKey) -> Result<ImportedKey, JsValue> {
    let fingerprint = key.fingerprint();
    let found = IMPORTED.with(|imported| imported.borrow().get(&fingerprint).cloned());
    if let Some(found) = found {
        return Ok(found);
    }
    let imported = import(key).await?;
    IMPORTED.with(|all| {
        let mut all = all.borrow_mut();
        if all.len() >= MAX_IMPORTED_KEYS {
            all.clear();
        }
        all.insert(fingerprint, imported.clone());
    });
    Ok(imported)
}

async fn import(key: &VerifyingKey) -> Result<ImportedKey, JsValue> {
    let algorithm = build_algorithm(key.algorithm())?;
    let jwk = build_jwk(key.material())?;
    let usages = Array::of1(&JsValue::from_str("verify"));
    let promise = SUBTLE
        .with(|subtle| subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages))?;
    let key = JsFuture::from(promise).await?.unchecked_into();
    Ok(ImportedKey { key, algorithm })
}

/// One object serves `importKey` and `verify`: each reads the members that it needs.
fn build_algorithm(algorithm: Algorithm) -> Result<Object, JsValue> {
    const ECDSA: &str = "ECDSA";
    const PKCS1: &str = "RSASSA-PKCS1-v1_5";
    const PSS: &str = "RSA-PSS";
    match algorithm {
        Algorithm::EdDsa => build_object(&[("name", "Ed25519")]),
        Algorithm::Es256 => build_ecdsa(ECDSA, "P-256", "SHA-256"),
        Algorithm::Es384 => build_ecdsa(ECDSA, "P-384", "SHA-384"),
        Algorithm::Rs256 => build_object(&[("name", PKCS1), ("hash", "SHA-256")]),
        Algorithm::Rs384 => build_object(&[("name", PKCS1), ("hash", "SHA-384")]),
        Algorithm::Rs512 => build_object(&[("name", PKCS1), ("hash", "SHA-512")]),
        Algorithm::Ps256 => build_pss(PSS, "SHA-256", 32),
        Algorithm::Ps384 => build_pss(PSS, "SHA-384", 48),
        Algorithm::Ps512 => build_pss(PSS, "SHA-512", 64),
    }
}

fn build_ecdsa(name: &str, curve: &str, hash: &str) -> Result<Object, JsValue> {
    build_object(&[("name", name), ("namedCurve", curve), ("hash", hash)])
}

fn build_pss(name: &str, hash: &str, salt_bytes: u32) -> Result<Object, JsValue> {
    let object = build_object(&[("name", name), ("hash", hash)])?;
    Reflect::set(
        &object,
        &JsValue::from_str("saltLength"),
        &JsValue::from(salt_bytes),
    )?;
    Ok(object)
}

fn build_jwk(material: &KeyMaterial) -> Result<Object, JsValue> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match material {
        KeyMaterial::Ed25519 { x } => {
            build_object(&[("kty", "OKP"), ("crv", "Ed25519"), ("x", &encode(x))])
        }
        KeyMaterial::P256 { x, y } => build_ec_jwk("P-256", &encode(x), &encode(y)),
        KeyMaterial::P384 { x, y } => build_ec_jwk("P-384", &encode(x), &encode(y)),
        KeyMaterial::Rsa { n, e } => {
            build_object(&[("kty", "RSA"), ("n", &encode(n)), ("e", &encode(e))])
        }
    }
}

fn build_ec_jwk(curve: &str, x: &str, y: &str) -> Result<Object, JsValue> {
    build_object(&[("kty", "EC"), ("crv", curve), ("x", x), ("y", y)])
}

fn build_object(members: &[(&str, &str)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    Ok(object)
}
