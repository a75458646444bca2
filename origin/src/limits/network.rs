//! What counts as one address. Of IPv6 everybody has 2⁶⁴ at home (RFC 6177), and could fail once at each.

use std::net::{IpAddr, Ipv6Addr};

const HOST_BITS: u32 = 64;

/// The address itself, or the `/64` network that an IPv6 address is in.
pub(super) fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) => {
            let network = v6.to_bits() >> HOST_BITS << HOST_BITS;
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_an_ipv6_network_is_one_address_and_nothing_else_is() {
        for (address, network) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            ("192.0.2.1", "192.0.2.1"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network_of(address), network);
        }
    }
}
