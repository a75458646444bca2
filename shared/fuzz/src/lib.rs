//! What the fuzz targets share: a key to sign with, a policy, and a second reading of the rules.
#![forbid(unsafe_code)]

mod second_reading;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shared::{
    Claims, KeySet, NativeVerifier, TokenError, UnixSeconds, UnverifiedToken, ValidationPolicy,
    verify_now,
};

pub use second_reading::accepts;

/// When every token is held against the policy.
pub const NOW: u64 = 1_800_000_000;
/// The policy's issuer.
pub const ISSUER: &str = "https://issuer.example";
/// The policy's audience.
pub const AUDIENCE: &str = "https://api.example";

const PEM: &[u8] = include_bytes!("../../../tests/corpus/keys/ed25519.pem");

/// The corpus's Ed25519 key.
pub static KEY: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_ed_pem(PEM).expect("a committed test key"));

/// Its public half under the name `ed`.
pub static JWK: LazyLock<Value> = LazyLock::new(|| {
    let jwk = Jwk::from_encoding_key(&KEY, Algorithm::EdDSA).expect("a committed test key");
    let mut jwk = serde_json::to_value(jwk).expect("a JWK is JSON");
    jwk["kid"] = json!("ed");
    jwk
});

/// The set of that key.
pub static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::from_value(&json!({ "keys": [*JWK] })).expect("a set of a good key"));

/// The corpus's policy.
pub static POLICY: LazyLock<ValidationPolicy> = LazyLock::new(|| ValidationPolicy {
    issuer: ISSUER.to_owned(),
    audience: AUDIENCE.to_owned(),
    typ: "at+jwt".to_owned(),
    algorithms: shared::Algorithm::ALL.to_vec(),
    leeway_secs: 30,
    max_lifetime_secs: 3600,
    require_session: false,
});

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of any header and payload, signed.
pub fn sign(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &KEY, Algorithm::EdDSA)
        .expect("signing with a good key");
    format!("{input}.{signature}")
}

/// The strict verdict on a token.
pub fn judge(token: &str) -> Result<Claims, TokenError> {
    let token = UnverifiedToken::parse(token)?;
    let signed = verify_now(token.verify_signature(&KEYS, &NativeVerifier))?;
    let valid = signed.validate(&POLICY, UnixSeconds::from_secs(NOW))?;
    Ok(valid.claims().clone())
}

/// The two halves of an input around its first zero byte.
pub fn split(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = input.iter().position(|byte| *byte == 0)?;
    Some((&input[..zero], &input[zero + 1..]))
}
