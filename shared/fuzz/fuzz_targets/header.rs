//! Any bytes as a header: whatever is read holds nothing that must be refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::UnverifiedToken;
use shared_fuzz::encode;

fuzz_target!(|header: &[u8]| {
    let text = format!("{}.e30.AA", encode(header));
    if UnverifiedToken::parse(&text).is_err() {
        return;
    }
    let header: Value = serde_json::from_slice(header).expect("what was read is JSON");
    let members = header.as_object().expect("and an object");
    for refused in ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"] {
        assert!(!members.contains_key(refused), "{refused}");
    }
    let alg = members["alg"].as_str().expect("with an algorithm");
    assert!(!alg.starts_with("HS") && !alg.eq_ignore_ascii_case("none"));
    for name in ["typ", "kid"] {
        assert!(members.get(name).is_none_or(Value::is_string), "{name}");
    }
});
