//! The public numbers of a key, checked so that every engine that is given them agrees on what
//! they mean.

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::curve;
use crate::error::KeyError;
use crate::json::{Json, JsonObject};
use crate::keys::rsa;

/// A public key's numbers, big-endian but for Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    /// OKP, Ed25519 (RFC 8037): the encoded point, canonical and not of small order.
    Ed25519 {
        /// The encoding of RFC 8032, section 5.1.2.
        x: [u8; 32],
    },
    /// EC, P-256 (RFC 7518, section 6.2): a point on the curve.
    P256 {
        /// The x coordinate.
        x: [u8; 32],
        /// The y coordinate.
        y: [u8; 32],
    },
    /// EC, P-384: a point on the curve.
    P384 {
        /// The x coordinate.
        x: [u8; 48],
        /// The y coordinate.
        y: [u8; 48],
    },
    /// RSA (RFC 7518, section 6.3): 2048 to 8192 bits.
    Rsa {
        /// The modulus, without leading zeros.
        n: Vec<u8>,
        /// The exponent, without leading zeros.
        e: Vec<u8>,
    },
}

impl KeyMaterial {
    pub(super) fn parse(members: &JsonObject<'_>) -> Result<Self, KeyError> {
        match members.get("kty").and_then(Json::as_str) {
            Some("OKP") => Self::parse_okp(members),
            Some("EC") => Self::parse_ec(members),
            Some("RSA") => rsa::parse(members),
            _ => Err(KeyError::TypeRefused),
        }
    }

    fn parse_okp(members: &JsonObject<'_>) -> Result<Self, KeyError> {
        if members.get("crv").and_then(Json::as_str) != Some("Ed25519") {
            return Err(KeyError::CurveRefused);
        }
        let x = parse_coordinate(members, "x")?;
        if curve::is_ed25519_public_key(&x) {
            Ok(Self::Ed25519 { x })
        } else {
            Err(KeyError::PointInvalid)
        }
    }

    fn parse_ec(members: &JsonObject<'_>) -> Result<Self, KeyError> {
        match members.get("crv").and_then(Json::as_str) {
            Some("P-256") => {
                let (x, y) = (
                    parse_coordinate(members, "x")?,
                    parse_coordinate(members, "y")?,
                );
                let is_point = curve::is_on_p256(&x, &y);
                is_point
                    .then_some(Self::P256 { x, y })
                    .ok_or(KeyError::PointInvalid)
            }
            Some("P-384") => {
                let (x, y) = (
                    parse_coordinate(members, "x")?,
                    parse_coordinate(members, "y")?,
                );
                let is_point = curve::is_on_p384(&x, &y);
                is_point
                    .then_some(Self::P384 { x, y })
                    .ok_or(KeyError::PointInvalid)
            }
            _ => Err(KeyError::CurveRefused),
        }
    }

    /// What a key without `alg` is pinned to.
    pub(super) fn default_algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519 { .. } => Algorithm::EdDsa,
            Self::P256 { .. } => Algorithm::Es256,
            Self::P384 { .. } => Algorithm::Es384,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    pub(super) fn supports(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => {
                matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512)
            }
            _ => algorithm == self.default_algorithm(),
        }
    }

    /// The numbers in the order of their declaration.
    pub(super) fn numbers(&self) -> Vec<&[u8]> {
        match self {
            Self::Ed25519 { x } => vec![x],
            Self::P256 { x, y } => vec![x, y],
            Self::P384 { x, y } => vec![x, y],
            Self::Rsa { n, e } => vec![n, e],
        }
    }
}

/// A coordinate has exactly the length of the field (RFC 7518, section 6.2.1.2).
fn parse_coordinate<const BYTES: usize>(
    members: &JsonObject<'_>,
    name: &str,
) -> Result<[u8; BYTES], KeyError> {
    let text = members
        .get(name)
        .and_then(Json::as_str)
        .ok_or(KeyError::CoordinateInvalid)?;
    let bytes = base64url::decode(text).ok_or(KeyError::CoordinateInvalid)?;
    bytes.try_into().map_err(|_| KeyError::CoordinateInvalid)
}
