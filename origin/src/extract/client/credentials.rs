//! Where a request carries a client's id and secret: `client_secret_basic` or `client_secret_post`,
//! never both. Nothing is known here of which clients there are.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::super::Form;
use super::super::body::decode_form_text;
use crate::error::ApiError;

/// What somebody says it is, not looked up yet.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: SecretString,
}

/// A client id is plain ASCII, so that it can be looked up and written to a log.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

pub(super) fn find_credentials(headers: &HeaderMap, form: &Form) -> Result<Credentials, ApiError> {
    let header = only_authorization(headers)?;
    let found = match (header, form.get("client_secret")) {
        (Some(_), Some(_)) => return Err(ApiError::TwoClientAuthentications),
        (Some(value), None) => parse_basic(value).ok_or(ApiError::InvalidClient)?,
        (None, Some(secret)) => Credentials {
            id: form.require("client_id")?.to_owned(),
            secret: secret.into(),
        },
        (None, None) => return Err(ApiError::InvalidClient),
    };
    // RFC 6749, section 3.2.1: it may say who it is a second time, but not somebody else.
    if form.get("client_id").is_some_and(|named| named != found.id) {
        return Err(ApiError::TwoClientAuthentications);
    }
    if is_client_id(&found.id) {
        Ok(found)
    } else {
        Err(ApiError::InvalidClient)
    }
}

/// Two headers are one too many, and so are two that a proxy has joined: neither base64 nor a bearer
/// token holds a comma.
fn only_authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let first = values.next();
    let is_joined = first.is_some_and(|value| value.as_bytes().contains(&b','));
    if values.next().is_some() || is_joined {
        return Err(ApiError::TwoClientAuthentications);
    }
    Ok(first)
}

/// Both parts are form-encoded within the base64, as the section asks.
fn parse_basic(value: &HeaderValue) -> Option<Credentials> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(Credentials {
        id: decode_form_text(id)?,
        secret: decode_form_text(secret)?.into(),
    })
}
