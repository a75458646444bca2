//! The corpus against `jsonwebtoken` with the same policy: strictness only takes away, so whatever
//! we accept it must accept too.

use jsonwebtoken::{DecodingKey, Validation, jwk::Jwk};
use serde_json::Value;

use crate::verdicts::own_cases;

/// Why the peer is not asked about a good token.
#[derive(Debug, PartialEq)]
enum NotAsked {
    /// It does not read the header: it lacks the name `Ed25519`, and wants strings where any type
    /// is legal.
    Header,
    /// It does not read the key.
    Key,
}

#[test]
fn jsonwebtoken_accepts_every_token_that_we_accept() {
    let (mut asked, mut not_asked) = (0, 0);
    for case in own_cases().filter(|case| case["expect"] == "accept" && case["level"] == "token") {
        match ask_peer(&case) {
            Ok(verdict) => {
                asked += 1;
                assert_eq!(verdict, Ok(()), "{}: {}", case["id"], case["why"]);
            }
            Err(_) => not_asked += 1,
        }
    }
    assert!(
        asked > 100 && not_asked < asked / 10,
        "{asked} asked, {not_asked} not"
    );
}

fn ask_peer(case: &Value) -> Result<Result<(), String>, NotAsked> {
    let token = case["token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).map_err(|_| NotAsked::Header)?;
    let keys = case["keys"]["keys"].as_array().unwrap();
    let is_named =
        |key: &&Value| header.kid.is_none() || key["kid"].as_str() == header.kid.as_deref();
    let usable = keys
        .iter()
        .filter(is_named)
        .filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let keys: Vec<_> = usable
        .filter_map(|jwk| DecodingKey::from_jwk(&jwk).ok())
        .collect();
    let mut policy = Validation::new(header.alg);
    policy.set_issuer(&[case["policy"]["issuer"].as_str().unwrap()]);
    policy.set_audience(&[case["policy"]["audience"].as_str().unwrap()]);
    // It reads the clock itself; the cases bring theirs.
    policy.validate_exp = false;
    let verdicts = keys
        .iter()
        .map(|key| jsonwebtoken::decode::<Value>(token, key, &policy));
    let best = verdicts.reduce(|best, next| if best.is_ok() { best } else { next });
    let verdict = best.ok_or(NotAsked::Key)?;
    Ok(verdict.map(drop).map_err(|error| error.to_string()))
}
