//! Where a request comes from: the peer's address, or what a trusted proxy says it is.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::app::App;
use crate::sessions::Caller;

const MAX_USER_AGENT_CHARS: usize = 256;

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip());
        let told = app
            .config
            .client_address_header
            .as_deref()
            .and_then(|name| told_address(&parts.headers, name));
        Ok(Self {
            address: told
                .or(peer)
                .map_or_else(|| "unknown".to_owned(), |ip| ip.to_string()),
            user_agent: user_agent(&parts.headers),
        })
    }
}

/// The last address in the header: the one that our own proxy added, whatever came before it.
fn told_address(headers: &HeaderMap, name: &str) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn believes_only_the_address_that_the_last_proxy_added() {
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_static("6.6.6.6, 1.2.3.4"),
        );
        assert_eq!(
            told_address(&headers, "x-forwarded-for"),
            "1.2.3.4".parse().ok()
        );
        headers.append("x-forwarded-for", HeaderValue::from_static("2001:db8::1"));
        assert_eq!(
            told_address(&headers, "x-forwarded-for"),
            "2001:db8::1".parse().ok()
        );
        headers.append("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(told_address(&headers, "x-forwarded-for"), None);
    }
}
