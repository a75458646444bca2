//! Any text as a token, with keys of every kind.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{KeySet, NativeVerifier, TokenError, UnverifiedToken, verify_now};

/// Every key of the corpus, as its seeds hold them.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let jwks = include_bytes!("../keys.json");
    let keys = KeySet::parse(jwks).expect("a committed key set");
    assert!(keys.refused().is_empty());
    keys
});

fuzz_target!(|text: &str| {
    let Ok(token) = UnverifiedToken::parse(text) else {
        return;
    };
    assert_eq!(text.matches('.').count(), 2);
    assert!(text.len() <= shared::MAX_TOKEN_BYTES);
    drop(token.unverified_issuer());
    let verified = verify_now(token.verify_signature(&KEYS, &NativeVerifier));
    assert_ne!(verified.err(), Some(TokenError::EngineFailed));
});
