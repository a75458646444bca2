//! The rules for header and claims, read a second time in the plainest way, on `serde_json::Value`
//! and without a type to guide it. Of duplicate members it sees the last, and of depth nothing:
//! those two rules the strict parser has alone.

use serde_json::Value;

use crate::{AUDIENCE, ISSUER, NOW};

const LEEWAY: f64 = 30.0;
const LIFETIME: f64 = 3600.0;

/// Whether a token of this header and payload, signed by the key `ed`, is good.
pub fn accepts(header: &[u8], payload: &[u8]) -> bool {
    let (Ok(header), Ok(payload)) = (
        serde_json::from_slice(header),
        serde_json::from_slice(payload),
    ) else {
        return false;
    };
    accepts_header(&header) && accepts_claims(&payload)
}

fn accepts_header(header: &Value) -> bool {
    let forbidden = ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"];
    header.is_object()
        && forbidden.iter().all(|name| header.get(name).is_none())
        && !matches!(header["cty"].as_str(), Some(cty) if short(cty) == "jwt")
        && matches!(header["alg"].as_str(), Some("EdDSA" | "Ed25519"))
        && matches!(header["typ"].as_str(), Some(typ) if short(typ) == "at+jwt")
        && header.get("kid").is_none_or(|kid| kid == "ed")
}

/// A media type without case and without its usual prefix.
fn short(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower
        .strip_prefix("application/")
        .unwrap_or(&lower)
        .to_owned()
}

fn accepts_claims(claims: &Value) -> bool {
    claims.is_object()
        && claims["iss"] == ISSUER
        && accepts_audience(&claims["aud"])
        && is_name(&claims["sub"])
        && is_name(&claims["jti"])
        && claims.get("sid").is_none_or(is_name)
        && claims.get("client_id").is_none_or(Value::is_string)
        && claims.get("scope").is_none_or(Value::is_string)
        && claims.get("roles").is_none_or(is_strings)
        && accepts_dates(claims)
}

fn accepts_audience(aud: &Value) -> bool {
    aud == AUDIENCE
        || is_strings(aud)
            && aud
                .as_array()
                .is_some_and(|all| all.contains(&Value::from(AUDIENCE)))
}

fn is_strings(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|all| all.iter().all(Value::is_string))
}

fn is_name(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|name| (1..=255).contains(&name.len()))
}

fn accepts_dates(claims: &Value) -> bool {
    let now = NOW as f64;
    let optional = |name: &str| match claims.get(name) {
        None => Some(0.0),
        Some(value) => date(value),
    };
    let (Some(exp), Some(iat)) = (date(&claims["exp"]), date(&claims["iat"])) else {
        return false;
    };
    let (Some(nbf), Some(_)) = (optional("nbf"), optional("auth_time")) else {
        return false;
    };
    iat <= exp
        && exp <= iat + LIFETIME
        && now < exp + LEEWAY
        && nbf <= now + LEEWAY
        && iat <= now + LEEWAY
}

fn date(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .filter(|secs| secs.is_finite() && *secs >= 0.0)
}
