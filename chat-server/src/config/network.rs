//! Networks of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// A network of IP addresses, written `10.0.0.0/8` or `fd00::/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    /// How many bits all its addresses have in common.
    prefix: u32,
}

/// No network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no address and no network; write one like 10.0.0.7, 10.0.0.0/8 or fd00::/8")]
pub struct UnknownNetwork;

impl Network {
    /// Whether an address is of this network. An IPv4 address may be written as IPv6, as sockets that take both have it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        first_of(address.to_canonical(), self.prefix) == self.first
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| UnknownNetwork)?)),
            None => (text, None),
        };
        let given: IpAddr = address.parse().map_err(|_| UnknownNetwork)?;
        let prefix = prefix.unwrap_or(bits_of(given));
        if prefix > bits_of(given) {
            return Err(UnknownNetwork);
        }
        let address = given.to_canonical();
        // An IPv4 address that is written as IPv6 has 96 bits more before it.
        let prefix = prefix.checked_sub(bits_of(given) - bits_of(address)).ok_or(UnknownNetwork)?;
        Ok(Self { first: first_of(address, prefix), prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.prefix == bits_of(self.first) { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

const fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

/// The first address of the network with so many bits in common that an address is of.
fn first_of(address: IpAddr, prefix: u32) -> IpAddr {
    let others = bits_of(address).saturating_sub(prefix);
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(others).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(others).unwrap_or(0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_the_addresses_with_its_first_bits() {
        for (network, address) in [
            ("10.0.0.7", "10.0.0.7"),
            ("10.0.0.7", "::ffff:10.0.0.7"),
            ("10.0.0.0/8", "10.255.255.255"),
            ("10.20.30.40/8", "10.0.0.0"),
            ("192.168.16.0/20", "192.168.31.255"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("::1", "::1"),
            ("fd00::/8", "fdff::1"),
            ("2001:db8::/64", "2001:db8::ffff:1"),
            ("::/0", "2001:db8::1"),
            ("::ffff:10.0.0.0/104", "10.1.2.3"),
        ] {
            assert!(contains(network, address), "{network} {address}");
        }
        for (network, address) in [
            ("10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "11.0.0.0"),
            ("192.168.16.0/20", "192.168.32.0"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::/0", "10.0.0.7"),
            ("::1", "127.0.0.1"),
            ("fd00::/8", "fe00::"),
            ("2001:db8::/64", "2001:db8:0:1::"),
        ] {
            assert!(!contains(network, address), "{network} {address}");
        }
    }

    #[test]
    fn networks_are_written_as_they_are_read() {
        for text in ["10.0.0.7", "10.0.0.0/8", "0.0.0.0/0", "::1", "fd00::/8", "::/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for (text, shown) in [("10.1.2.3/8", "10.0.0.0/8"), ("::ffff:10.0.0.7", "10.0.0.7")] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "proxy.example",
            "10.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.7:80",
            "fd00::/129",
            "::ffff:10.0.0.0/95",
            "[::1]",
            " 10.0.0.7",
        ] {
            assert_eq!(text.parse::<Network>(), Err(UnknownNetwork), "{text:?}");
        }
    }
}
