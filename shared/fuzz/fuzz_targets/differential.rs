//! A header and a payload of any bytes, signed: the strict verdict against a second reading of the
//! rules, and against `jsonwebtoken`, which must take whatever we take.
#![no_main]

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::TokenError;
use shared_fuzz::{AUDIENCE, ISSUER, JWK, accepts, judge, sign, split};

static PEER_KEY: LazyLock<DecodingKey> = LazyLock::new(|| {
    let x = JWK["x"].as_str().expect("a public key");
    DecodingKey::from_ed_components(x).expect("a public key")
});

/// The policy without its times: the peer reads the clock itself.
static PEER_POLICY: LazyLock<Validation> = LazyLock::new(|| {
    let mut policy = Validation::new(Algorithm::EdDSA);
    policy.set_audience(&[AUDIENCE]);
    policy.set_issuer(&[ISSUER]);
    policy.validate_exp = false;
    policy
});

fuzz_target!(|input: &[u8]| {
    let Some((header, payload)) = split(input) else {
        return;
    };
    let token = sign(header, payload);
    let verdict = judge(&token);
    assert!(!matches!(
        verdict,
        Err(TokenError::EngineFailed | TokenError::SignatureInvalid)
    ));
    match verdict {
        Ok(_) => {
            assert!(accepts(header, payload), "only the strict reading accepts");
            assert_peer_accepts(&token);
        }
        Err(reason) => assert!(
            is_ours_alone(reason) || !accepts(header, payload),
            "{reason:?}"
        ),
    }
});

/// Rules that the second reading does not have.
fn is_ours_alone(reason: TokenError) -> bool {
    use TokenError::{
        HeaderDuplicateMember, HeaderTooDeep, PayloadDuplicateMember, PayloadTooDeep, TooLong,
    };
    matches!(
        reason,
        TooLong | HeaderDuplicateMember | HeaderTooDeep | PayloadDuplicateMember | PayloadTooDeep
    )
}

fn assert_peer_accepts(token: &str) {
    // The peer does not know the name `Ed25519`, and wants strings where any type is legal.
    if jsonwebtoken::decode_header(token).is_err() {
        return;
    }
    let peer = jsonwebtoken::decode::<Value>(token, &PEER_KEY, &PEER_POLICY);
    assert!(peer.is_ok(), "the peer refuses: {:?}", peer.err());
}
