//! The host's SHA-256 and Ed25519, as the edge uses them; the key is imported once.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use shared::{
    DigestFailed, Digester, KeyMaterial, SignatureCheck, SignatureError, SignatureVerifier,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};
use worker::web_sys::WorkerGlobalScope;

pub(super) struct WebCrypto;

thread_local! {
    static IMPORTED: RefCell<Option<CryptoKey>> = RefCell::default();
}

impl Digester for WebCrypto {
    async fn sha256(&self, bytes: &[u8]) -> Result<[u8; 32], DigestFailed> {
        let digest = async {
            let promise = subtle()?.digest_with_str_and_u8_array("SHA-256", bytes)?;
            let digest = JsFuture::from(promise).await?;
            Ok::<_, JsValue>(Uint8Array::new(digest.unchecked_ref::<ArrayBuffer>()).to_vec())
        };
        let digest = digest.await.map_err(|_| DigestFailed)?;
        digest.try_into().map_err(|_| DigestFailed)
    }
}

impl SignatureVerifier for WebCrypto {
    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        let verdict = async {
            let key = find_or_import(check.key.material()).await?;
            let promise = subtle()?.verify_with_str_and_u8_array_and_u8_array(
                "Ed25519",
                &key,
                check.signature,
                check.message,
            )?;
            JsFuture::from(promise).await
        };
        match verdict.await {
            Ok(verdict) if verdict.is_truthy() => Ok(()),
            Ok(_) => Err(SignatureError::Invalid),
            Err(_) => Err(SignatureError::EngineFailed),
        }
    }
}

async fn find_or_import(material: &KeyMaterial) -> Result<CryptoKey, JsValue> {
    if let Some(key) = IMPORTED.with_borrow(Clone::clone) {
        return Ok(key);
    }
    let KeyMaterial::Ed25519 { x } = material else {
        return Err(JsValue::from_str("the benchmark signs with Ed25519"));
    };
    let jwk = Object::new();
    for (name, value) in [
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("x", &BASE64URL.encode(x)),
    ] {
        Reflect::set(&jwk, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    let usages = js_sys::Array::of1(&JsValue::from_str("verify"));
    let promise = subtle()?.import_key_with_str("jwk", &jwk, "Ed25519", false, &usages)?;
    let key: CryptoKey = JsFuture::from(promise).await?.unchecked_into();
    IMPORTED.set(Some(key.clone()));
    Ok(key)
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    let global: WorkerGlobalScope = js_sys::global().unchecked_into();
    Ok(global.crypto()?.subtle())
}
