//! Any bytes as a key set: a key that is taken is one that the engine takes too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{
    KeySet, NativeVerifier, SignatureCheck, SignatureError, SignatureVerifier, verify_now,
};

fuzz_target!(|jwks: &[u8]| {
    let Ok(set) = KeySet::parse(jwks) else {
        return;
    };
    for key in set.keys() {
        let check = SignatureCheck {
            key,
            message: b"message",
            signature: &vec![1; key.signature_bytes()],
        };
        let verdict = verify_now(NativeVerifier.verify(&check));
        assert_eq!(verdict, Err(SignatureError::Invalid));
    }
});
