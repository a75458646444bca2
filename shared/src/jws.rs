//! Compact JWS (RFC 7515, section 7.1), read strictly: caps before decoding, one spelling, no
//! extension, no key that the token itself brings. Nothing here is verified yet.

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::TokenError;
use crate::ids::KeyId;
use crate::json::{self, Json, JsonError, JsonObject};

/// The longest access token in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Header members by which a token could bring its own key (RFC 8725, section 3.10).
const EMBEDDED_KEY_MEMBERS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// A compact JWS, decoded, its header checked. No part of it can be trusted.
#[derive(Debug)]
pub(crate) struct CompactJws<'t> {
    pub(crate) header: Header,
    /// The bytes that the signature covers: header, dot, payload, as they were sent.
    pub(crate) signing_input: &'t [u8],
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The members of a JOSE header that we use.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<KeyId>,
}

impl<'t> CompactJws<'t> {
    /// Reads `text`, which must not be longer than `max_bytes`.
    pub(crate) fn parse(text: &'t str, max_bytes: usize) -> Result<Self, TokenError> {
        if text.len() > max_bytes {
            return Err(TokenError::TooLong);
        }
        let [header, payload, signature] = split_parts(text)?;
        if signature.is_empty() {
            return Err(TokenError::EmptySignature);
        }
        let header_bytes = base64url::decode(header).ok_or(TokenError::HeaderEncoding)?;
        Ok(Self {
            header: Header::parse(&header_bytes)?,
            signing_input: &text.as_bytes()[..=header.len() + payload.len()],
            payload: base64url::decode(payload).ok_or(TokenError::PayloadEncoding)?,
            signature: base64url::decode(signature).ok_or(TokenError::SignatureEncoding)?,
        })
    }
}

/// The three parts. Characters are looked at first, so that no later error depends on a stray one.
fn split_parts(text: &str) -> Result<[&str; 3], TokenError> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !text.bytes().all(is_legal) {
        return Err(TokenError::IllegalCharacter);
    }
    let mut parts = text.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(TokenError::WrongPartCount),
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        let members = json::parse_object(bytes).map_err(|fault| match fault {
            JsonError::Malformed => TokenError::HeaderJson,
            JsonError::NotAnObject => TokenError::HeaderNotAnObject,
            JsonError::DuplicateMember => TokenError::HeaderDuplicateMember,
            JsonError::TooDeep => TokenError::HeaderTooDeep,
        })?;
        refuse_extensions(&members)?;
        Ok(Self {
            algorithm: parse_algorithm(&members)?,
            typ: parse_typ(&members)?,
            kid: parse_kid(&members)?,
        })
    }
}

/// Refuses every member that would change what the other members mean. The rest is legal and
/// ignored, of any type.
fn refuse_extensions(members: &JsonObject<'_>) -> Result<(), TokenError> {
    if members.contains_key("crit") {
        return Err(TokenError::CriticalHeader);
    }
    if EMBEDDED_KEY_MEMBERS
        .iter()
        .any(|name| members.contains_key(*name))
    {
        return Err(TokenError::EmbeddedKey);
    }
    if members.contains_key("b64") {
        return Err(TokenError::UnencodedPayload);
    }
    if members.contains_key("zip") {
        return Err(TokenError::CompressedPayload);
    }
    if members.contains_key("enc") {
        return Err(TokenError::Encrypted);
    }
    match members.get("cty").and_then(Json::as_str) {
        Some(cty) if media_type_is(cty, "jwt") => Err(TokenError::NestedToken),
        _ => Ok(()),
    }
}

fn parse_algorithm(members: &JsonObject<'_>) -> Result<Algorithm, TokenError> {
    let alg = members.get("alg").ok_or(TokenError::AlgorithmMissing)?;
    alg.as_str()
        .and_then(Algorithm::parse)
        .ok_or(TokenError::AlgorithmRefused)
}

fn parse_typ(members: &JsonObject<'_>) -> Result<Option<String>, TokenError> {
    match members.get("typ") {
        None => Ok(None),
        Some(Json::String(typ)) => Ok(Some(typ.clone().into_owned())),
        Some(_) => Err(TokenError::TypNotAString),
    }
}

fn parse_kid(members: &JsonObject<'_>) -> Result<Option<KeyId>, TokenError> {
    let Some(kid) = members.get("kid") else {
        return Ok(None);
    };
    let text = kid.as_str().ok_or(TokenError::KeyIdInvalid)?;
    KeyId::parse(text)
        .map(Some)
        .map_err(|_| TokenError::KeyIdInvalid)
}

/// Compares media types as RFC 7515, section 4.1.9, says: without case, and with or without
/// `application/`. Parameters make it another type.
pub(crate) fn media_type_is(text: &str, expected: &str) -> bool {
    fn short(text: &str) -> &str {
        const PREFIX: &str = "application/";
        match text.get(..PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        }
    }
    short(text).eq_ignore_ascii_case(short(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.AA", base64url::encode(header.as_bytes()))
    }

    fn fault(text: &str) -> TokenError {
        CompactJws::parse(text, MAX_TOKEN_BYTES).unwrap_err()
    }

    #[test]
    fn reads_header_payload_and_signing_input() {
        let text = token(r#"{"alg":"Ed25519","typ":"at+jwt","kid":"k","x":[1]}"#);
        let jws = CompactJws::parse(&text, MAX_TOKEN_BYTES).unwrap();
        assert_eq!(jws.header.algorithm, Algorithm::EdDsa);
        assert_eq!(jws.header.kid.unwrap().as_str(), "k");
        assert_eq!(jws.payload, b"{}");
        assert_eq!(jws.signature, [0]);
        assert_eq!(
            jws.signing_input,
            text.strip_suffix(".AA").unwrap().as_bytes()
        );
    }

    #[test]
    fn refuses_other_shapes_than_three_parts() {
        for text in ["", ".", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "a.b.c."] {
            assert_eq!(fault(text), TokenError::WrongPartCount, "{text}");
        }
        assert_eq!(fault("e30.e30."), TokenError::EmptySignature);
        assert_eq!(
            fault(&".".repeat(MAX_TOKEN_BYTES)),
            TokenError::WrongPartCount
        );
        assert_eq!(fault(&"a".repeat(MAX_TOKEN_BYTES + 1)), TokenError::TooLong);
    }

    #[test]
    fn refuses_a_second_spelling_of_any_part() {
        let text = token(r#"{"alg":"ES256"}"#);
        for stray in ["=", "+", "/", " ", "\n", "!", "\u{e9}"] {
            assert_eq!(
                fault(&format!("{text}{stray}")),
                TokenError::IllegalCharacter
            );
        }
        assert_eq!(
            fault(&text.replace(".AA", ".AB")),
            TokenError::SignatureEncoding
        );
        assert_eq!(
            fault(&text.replace(".e30.", ".e31.")),
            TokenError::PayloadEncoding
        );
        assert_eq!(
            fault(&format!("{}A.e30.AA", base64url::encode(b"{}"))),
            TokenError::HeaderJson
        );
    }

    #[test]
    fn refuses_header_members_that_change_the_meaning() {
        for (header, expected) in [
            (r#"{"alg":"ES256","crit":[]}"#, TokenError::CriticalHeader),
            (
                r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
                TokenError::CriticalHeader,
            ),
            (r#"{"alg":"ES256","crit":null}"#, TokenError::CriticalHeader),
            (r#"{"alg":"ES256","jwk":{}}"#, TokenError::EmbeddedKey),
            (
                r#"{"alg":"ES256","jku":"https://x"}"#,
                TokenError::EmbeddedKey,
            ),
            (r#"{"alg":"ES256","x5u":1}"#, TokenError::EmbeddedKey),
            (r#"{"alg":"ES256","x5c":[]}"#, TokenError::EmbeddedKey),
            (
                r#"{"alg":"ES256","b64":true}"#,
                TokenError::UnencodedPayload,
            ),
            (
                r#"{"alg":"ES256","zip":"DEF"}"#,
                TokenError::CompressedPayload,
            ),
            (r#"{"alg":"ES256","enc":"A128GCM"}"#, TokenError::Encrypted),
            (
                r#"{"alg":"ES256","cty":"application/jwt"}"#,
                TokenError::NestedToken,
            ),
            (r#"{"alg":"ES256","typ":1}"#, TokenError::TypNotAString),
            (r#"{"alg":"ES256","kid":""}"#, TokenError::KeyIdInvalid),
            (r#"{"alg":"ES256","kid":["a"]}"#, TokenError::KeyIdInvalid),
            (r#"{"typ":"JWT"}"#, TokenError::AlgorithmMissing),
            (r#"{"alg":["ES256"]}"#, TokenError::AlgorithmRefused),
            (r#"{"alg":"none"}"#, TokenError::AlgorithmRefused),
            (
                r#"{"alg":"ES256","alg":"ES256"}"#,
                TokenError::HeaderDuplicateMember,
            ),
            ("[]", TokenError::HeaderNotAnObject),
        ] {
            assert_eq!(fault(&token(header)), expected, "{header}");
        }
    }

    #[test]
    fn media_types_compare_without_case_and_prefix_but_with_parameters() {
        for same in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert!(media_type_is(same, "at+jwt"), "{same}");
            assert!(media_type_is(same, "application/at+jwt"), "{same}");
        }
        for other in [
            "jwt",
            "",
            "at+jwt;v=1",
            "text/at+jwt",
            "application/application/at+jwt",
            "at+jwt ",
        ] {
            assert!(!media_type_is(other, "at+jwt"), "{other}");
        }
    }
}
