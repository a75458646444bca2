//! Attacks that no line of a corpus holds: too large for one, or on what surrounds the token.

use serde_json::json;
use shared::{
    KeySet, MAX_TOKEN_BYTES, SignatureCheck, SignatureError, SignatureVerifier, TokenError,
    UnverifiedToken, verify_now,
};

use crate::publisher::{TOKEN, header};

#[test]
fn refuses_a_megabyte_before_it_reads_a_part() {
    for text in [
        "A".repeat(1 << 20),
        ".".repeat(1_000_000),
        format!("{}.e30.AA", "A".repeat(MAX_TOKEN_BYTES)),
        format!("{}{}", "[".repeat(1 << 19), "]".repeat(1 << 19)),
    ] {
        assert_eq!(
            UnverifiedToken::parse(&text).unwrap_err(),
            TokenError::TooLong
        );
    }
}

/// A verifier that must not be asked.
struct Unasked;

impl SignatureVerifier for Unasked {
    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        panic!("asked about {} bytes", check.signature.len());
    }
}

#[test]
fn asks_the_engine_nothing_about_a_signature_that_cannot_be_one() {
    let keys = TOKEN.key_set("ed");
    let token = TOKEN.sign(&header("at+jwt", "ed"), "{}");
    let (input, _) = token.rsplit_once('.').unwrap();
    for (signature, reason) in [
        ("AA".to_owned(), TokenError::SignatureLength),
        ("A".repeat(86), TokenError::SignaturePoint),
    ] {
        let token = format!("{input}.{signature}");
        let token = UnverifiedToken::parse(&token).unwrap();
        let verified = verify_now(token.verify_signature(&keys, &Unasked));
        assert_eq!(verified.unwrap_err(), reason);
    }
}

#[test]
fn an_engine_that_fails_neither_accepts_nor_blames_the_token() {
    struct Broken;
    impl SignatureVerifier for Broken {
        async fn verify(&self, _: &SignatureCheck<'_>) -> Result<(), SignatureError> {
            Err(SignatureError::EngineFailed)
        }
    }
    let token = TOKEN.sign(&header("at+jwt", "ed"), "{}");
    let token = UnverifiedToken::parse(&token).unwrap();
    let verified = verify_now(token.verify_signature(&TOKEN.key_set("ed"), &Broken));
    assert_eq!(verified.unwrap_err(), TokenError::EngineFailed);
    assert_eq!(TokenError::EngineFailed.code(), "engine_failed");
}

#[test]
fn a_key_set_of_nothing_but_nonsense_is_a_set_without_keys() {
    let keys = vec![json!({"kty": "RSA", "n": "A".repeat(10_000), "e": "AQAB"}); 100];
    let set = KeySet::from_value(&json!({ "keys": keys })).unwrap();
    assert!(set.keys().is_empty());
    assert_eq!(set.refused().len(), 100);
}
