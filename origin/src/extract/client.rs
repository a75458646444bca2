//! The OAuth client (RFC 6749, section 2.3.1): `client_secret_basic` or `client_secret_post`, never
//! both. An unknown client and a wrong secret are one answer.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::Form;
use super::body::decode_form_text;
use crate::app::App;
use crate::error::ApiError;
use crate::store::clients::{self, Client};

pub async fn authenticate_client(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, ApiError> {
    let (id, secret) = credentials(headers, form)?;
    let client = clients::find_enabled(&app.pool, &id)
        .await?
        .ok_or(ApiError::InvalidClient)?;
    let hash = secret_hash(secret.expose_secret());
    verify_slices_are_equal(hash.as_bytes(), client.secret_hash.as_bytes())
        .map_err(|_| ApiError::InvalidClient)?;
    Ok(client)
}

#[must_use]
pub fn secret_hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// A client id is plain ASCII, so that it can be looked up and written to a log.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn credentials(headers: &HeaderMap, form: &Form) -> Result<(String, SecretString), ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (id, secret) = match (values.next(), form.get("client_secret")) {
        (Some(_), Some(_)) => return Err(ApiError::InvalidRequest),
        (Some(value), None) => value
            .to_str()
            .ok()
            .and_then(parse_basic)
            .ok_or(ApiError::InvalidClient)?,
        (None, Some(secret)) => (
            form.require("client_id")?.to_owned(),
            secret.to_owned().into(),
        ),
        (None, None) => return Err(ApiError::InvalidClient),
    };
    let named_twice_apart = form.get("client_id").is_some_and(|named| named != id);
    if values.next().is_some() || named_twice_apart {
        return Err(ApiError::InvalidRequest);
    }
    if is_client_id(&id) {
        Ok((id, secret))
    } else {
        Err(ApiError::InvalidClient)
    }
}

/// Both parts are form-encoded within the base64, as the section asks.
fn parse_basic(value: &str) -> Option<(String, SecretString)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode_form_text(id)?, decode_form_text(secret)?.into()))
}
