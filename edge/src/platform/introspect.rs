//! Asking the origin about one token (RFC 7662, section 2.1).

use js_sys;

use super::http::{self, OriginRequest};
use crate::config::Config;
use crate::introspection::{Introspected, IntrospectionError, MAX_INTROSPECTION_BYTES};

const TIMEOUT_MS: u32 = 2_000;

pub async fn introspect(config: &Config, token: &str) -> Result<Introspected, IntrospectionError> {
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
    // A header that cannot be read allows nothing.
    let cache_control = response.headers().get("cache-control").ok().flatten();
    let body = http::read_body(&response, MAX_INTROSPECTION_BYTES).await;
    let body = body.map_err(|_| IntrospectionError::Unreadable)?;
    Introspected::parse(&body, cache_control.as_deref())
}
