//! Where a request comes from: the peer's address, or what proxies that are trusted say it is.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::app::App;
use crate::sessions::Caller;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const MAX_USER_AGENT_CHARS: usize = 256;

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip().to_canonical());
        let address =
            peer.map(|peer| client_of(peer, &parts.headers, &app.config.http.trusted_proxies));
        Ok(Self {
            address: address.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string()),
            user_agent: user_agent(&parts.headers),
        })
    }
}

/// From the nearest hop outwards, the first that is none of our proxies. What stands left of it was
/// written by a stranger; so was everything, where the peer itself is one.
fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let mut nearest = peer;
    let mut told: Vec<Option<IpAddr>> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        // Empty elements of a list say nothing (RFC 9110, section 5.6.1.2).
        .filter(|hop| !hop.is_empty())
        .map(parse_hop)
        .collect();
    while is_trusted(nearest) {
        match told.pop() {
            Some(Some(hop)) => nearest = hop,
            // Nobody said, or not so that it can be understood: then it was the proxy.
            Some(None) | None => break,
        }
    }
    nearest
}

/// Some proxies add the port, and some put an IPv6 address in brackets without one.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop).ok()?;
    let in_brackets = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = in_brackets
        .unwrap_or(text)
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, told: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in told {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
        client_of(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_believed_nothing() {
        assert_eq!(client("1.2.3.4", &["6.6.6.6"]), "1.2.3.4");
        assert_eq!(client("1.2.3.4", &["10.0.0.1"]), "1.2.3.4");
    }

    #[test]
    fn the_nearest_hop_that_is_no_proxy_of_ours_is_the_client() {
        for (told, expected) in [
            (&["1.2.3.4"][..], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
            (&["6.6.6.6", "1.2.3.4,10.9.9.9"], "1.2.3.4"),
            (&["2001:db8::5, 10.1.1.1"], "2001:db8::5"),
            (&["1.2.3.4:5678"], "1.2.3.4"),
            (&["::ffff:1.2.3.4"], "1.2.3.4"),
            (&["[2606:4700::1]"], "2606:4700::1"),
            (&["[2606:4700::1]:443"], "2606:4700::1"),
            (&["1.2.3.4,", ""], "1.2.3.4"),
            (&["été, 1.2.3.4"], "1.2.3.4"),
        ] {
            assert_eq!(client("10.0.0.1", told), expected, "{told:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_ends_the_way_at_our_proxy() {
        for told in [
            &[][..],
            &["nonsense"],
            &["1.2.3.4, unknown"],
            &["1.2.3.4, é"],
            &[""],
        ] {
            assert_eq!(client("10.0.0.1", told), "10.0.0.1", "{told:?}");
        }
    }
}
