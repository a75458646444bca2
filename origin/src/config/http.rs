//! The settings of the server itself: where it listens, and whom it believes about where a request
//! came from.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use ipnet::IpNet;
use url::Url;

use super::check::{Check, parts};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct HttpSettings {
    /// Address and port to listen on.
    #[arg(long, env = "PORTCULLIS_LISTEN", default_value = "127.0.0.1:8085")]
    listen: String,
    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed, e.g.
    /// `10.0.0.0/8,2001:db8::/32`.
    #[arg(long, env = "PORTCULLIS_TRUSTED_PROXIES", default_value = "")]
    trusted_proxies: String,
    /// Origins of pages that may call this API from a browser, e.g. `https://app.example.org`.
    #[arg(long, env = "PORTCULLIS_CORS_ORIGINS", default_value = "")]
    cors_origins: String,
}

#[derive(Debug, Clone)]
pub struct HttpConfig {
    pub listen: SocketAddr,
    pub trusted_proxies: Vec<IpNet>,
    /// Each as browsers write it; none: pages of other origins may not ask.
    pub cors_origins: Vec<String>,
}

impl HttpSettings {
    pub(super) fn validate(self, check: &mut Check) -> HttpConfig {
        let listen = check.parse("PORTCULLIS_LISTEN", &self.listen, "an address and a port");
        HttpConfig {
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            trusted_proxies: check.networks(&self.trusted_proxies),
            cors_origins: check.origins(&self.cors_origins),
        }
    }
}

impl Check {
    fn networks(&mut self, text: &str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for part in parts(text) {
            match part.parse().or_else(|_| part.parse().map(IpAddr::into)) {
                Ok(network) => networks.push(network),
                Err(_) => self.refuse(
                    "PORTCULLIS_TRUSTED_PROXIES",
                    format!("{part:?} is not an address or a network"),
                ),
            }
        }
        networks
    }

    /// As browsers write them: scheme, host and port, and nothing more.
    fn origins(&mut self, text: &str) -> Vec<String> {
        let mut origins = Vec::new();
        for part in parts(text) {
            let origin = Url::parse(part).map(|url| url.origin().ascii_serialization());
            match origin {
                Ok(origin) if origin == part => origins.push(origin),
                _ => self.refuse(
                    "PORTCULLIS_CORS_ORIGINS",
                    format!("{part:?} is not an origin, as https://app.example.org is"),
                ),
            }
        }
        origins
    }
}
