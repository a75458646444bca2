//! What becomes of the keys of a set, one rule a test.

use serde_json::{Value, json};

use super::*;
use crate::base64url;

const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn ed25519(extra: &Value) -> Value {
    let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X});
    for (name, value) in extra.as_object().unwrap() {
        key[name] = value.clone();
    }
    key
}

fn rsa(n: &[u8], e: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)})
}

fn read(keys: &[Value]) -> KeySet {
    KeySet::from_value(&json!({ "keys": keys })).unwrap()
}

fn reason(key: Value) -> KeyError {
    read(&[key]).refused()[0].reason
}

#[test]
fn an_unusable_key_is_named_and_the_rest_works() {
    let set = read(&[
        ed25519(&json!({"kid": "weak", "use": "enc"})),
        ed25519(&json!({"kid": "good", "x-anything": [1]})),
    ]);
    assert_eq!(set.keys()[0].kid().unwrap().as_str(), "good");
    assert_eq!(set.keys().len(), 1);
    let refused = RefusedKey {
        index: 0,
        kid: Some("weak".to_owned()),
        reason: KeyError::UseForbids,
    };
    assert_eq!(set.refused(), [refused]);
}

#[test]
fn two_keys_with_one_kid_are_both_left_out() {
    let other = json!({"kty": "oct", "k": "AAAA", "kid": "a"});
    let set = read(&[
        ed25519(&json!({"kid": "a"})),
        ed25519(&json!({"kid": "b"})),
        other,
    ]);
    assert_eq!(set.keys().len(), 1);
    assert_eq!(set.refused()[0].reason, KeyError::KeyIdRepeated);
    assert_eq!(set.refused()[1].reason, KeyError::Symmetric);
}

#[test]
fn a_key_without_alg_is_pinned_to_the_one_of_its_kind() {
    let set = read(&[ed25519(&json!({})), ed25519(&json!({"alg": "Ed25519"}))]);
    assert!(
        set.keys()
            .iter()
            .all(|key| key.algorithm() == Algorithm::EdDsa)
    );
    assert_eq!(set.keys()[0].fingerprint(), set.keys()[1].fingerprint());
}

#[test]
fn refuses_keys_that_are_not_for_verifying() {
    for (extra, expected) in [
        (json!({"use": "enc"}), KeyError::UseForbids),
        (json!({"use": 1}), KeyError::UseForbids),
        (json!({"key_ops": ["sign"]}), KeyError::OperationsForbid),
        (json!({"key_ops": []}), KeyError::OperationsForbid),
        (json!({"key_ops": "verify"}), KeyError::OperationsForbid),
        (json!({"d": "AAAA"}), KeyError::Private),
        (json!({"k": "AAAA"}), KeyError::Symmetric),
        (json!({"kid": 7}), KeyError::KeyIdInvalid),
        (json!({"kid": ""}), KeyError::KeyIdInvalid),
        (json!({"alg": "ES256"}), KeyError::AlgorithmRefused),
        (json!({"alg": "none"}), KeyError::AlgorithmRefused),
        (json!({"alg": 5}), KeyError::AlgorithmRefused),
        (json!({"kty": "okp"}), KeyError::TypeRefused),
        (json!({"crv": "Ed448"}), KeyError::CurveRefused),
        (json!({"crv": "X25519"}), KeyError::CurveRefused),
        (json!({"x": "AAAA"}), KeyError::CoordinateInvalid),
        (
            json!({"x": format!("{ED25519_X}=")}),
            KeyError::CoordinateInvalid,
        ),
        (
            json!({"x": base64url::encode(&[0; 32])}),
            KeyError::PointInvalid,
        ),
    ] {
        assert_eq!(reason(ed25519(&extra)), expected, "{extra}");
    }
    assert_eq!(reason(json!("key")), KeyError::NotAnObject);
    assert_eq!(reason(json!({"x": "AAAA"})), KeyError::TypeMissing);
}

#[test]
fn refuses_rsa_numbers_that_engines_disagree_on() {
    let n = |bytes: usize| {
        let mut n = vec![0xc5; bytes];
        n[bytes - 1] = 0x01;
        n
    };
    let e = [1, 0, 1];
    assert_eq!(read(&[rsa(&n(256), &e)]).keys()[0].signature_bytes(), 256);
    assert_eq!(reason(rsa(&n(255), &e)), KeyError::ModulusTooShort);
    assert_eq!(reason(rsa(&n(1025), &e)), KeyError::ModulusTooLong);
    assert_eq!(
        reason(rsa(&[&[0], &n(256)[..]].concat(), &e)),
        KeyError::ModulusInvalid
    );
    assert_eq!(reason(rsa(&[0xc4; 256], &e)), KeyError::ModulusInvalid);
    for e in [
        &[1][..],
        &[3],
        &[0, 1, 0, 1],
        &[1, 0, 0],
        &[0x40; 9],
        &[2, 0, 0, 0, 1],
        // Engines disagree on every larger exponent.
        &[1, 0, 3],
        &[1, 0, 0, 0, 1],
        &[],
    ] {
        assert_eq!(reason(rsa(&n(256), e)), KeyError::ExponentInvalid, "{e:?}");
    }
}

#[test]
fn refuses_documents_that_are_not_key_sets() {
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(
            KeySet::parse(text.as_bytes()).unwrap_err(),
            KeySetError::Malformed,
            "{text}"
        );
    }
    let many = vec![json!({}); MAX_KEYS + 1];
    let document = json!({ "keys": many });
    assert_eq!(
        KeySet::from_value(&document).unwrap_err(),
        KeySetError::TooManyKeys
    );
}
