//! Asking the origin about one token (RFC 7662, section 2.1).

use js_sys;

use super::http::{self, OriginRequest};
use crate::config::Config;
use crate::introspection::{Introspection, IntrospectionError, MAX_INTROSPECTION_BYTES};

const TIMEOUT_MS: u32 = 2_000;

pub async fn introspect(config: &Config, token: &str) -> Result<Introspection, IntrospectionError> {
    let encoded = String::from(js_sys::encode_uri_component(token));
    let response = http::send(&OriginRequest {
        url: &format!("{}/introspect", config.origin_url),
        secret: config.edge_secret.as_ref(),
        form: Some(format!("token={encoded}&token_type_hint=access_token")),
        timeout_ms: TIMEOUT_MS,
    })
    .await
    .map_err(|_| IntrospectionError::Unreachable)?;
    if response.status() != 200 {
        return Err(IntrospectionError::Refused);
    }
    let body = http::read_body(&response, MAX_INTROSPECTION_BYTES).await;
    Introspection::parse(&body.map_err(|_| IntrospectionError::Unreadable)?)
}
