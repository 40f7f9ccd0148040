//! Which addresses are on the public internet, and which others the operator allows.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Host;

use super::without_dot;

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// What is not globally reachable by IANA's registry of special addresses (RFC 6890), multicast, and what clouds keep for them.
const NOT_GLOBAL_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),          // this network (RFC 791)
    v4(10, 0, 0, 0, 8),         // private (RFC 1918)
    v4(100, 64, 0, 0, 10),      // behind a carrier's translation (RFC 6598); metadata of Alibaba Cloud
    v4(127, 0, 0, 0, 8),        // loopback (RFC 1122)
    v4(168, 63, 129, 16, 32),   // the host of an Azure machine
    v4(169, 254, 0, 0, 16),     // link-local (RFC 3927); metadata of most clouds
    v4(172, 16, 0, 0, 12),      // private (RFC 1918)
    v4(192, 0, 0, 0, 24),       // protocol assignments (RFC 6890); metadata of Oracle Cloud
    v4(192, 0, 2, 0, 24),       // documentation (RFC 5737)
    v4(192, 88, 99, 0, 24),     // 6to4 relays (RFC 7526)
    v4(192, 168, 0, 0, 16),     // private (RFC 1918)
    v4(198, 18, 0, 0, 15),      // benchmarking (RFC 2544)
    v4(198, 51, 100, 0, 24),    // documentation (RFC 5737)
    v4(203, 0, 113, 0, 24),     // documentation (RFC 5737)
    v4(224, 0, 0, 0, 4),        // multicast (RFC 5771)
    v4(240, 0, 0, 0, 4),        // reserved (RFC 1112)
    v4(255, 255, 255, 255, 32), // broadcast (RFC 919)
];
/// The only IPv6 addresses given out for the internet (RFC 4291 §2.4): what is outside is local, multicast, or nothing yet.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
/// What of those is not globally reachable, by IANA's registry.
const NOT_GLOBAL_V6: [Ipv6Net; 3] = [
    v6(0x2001, 0, 0, 23),     // protocol assignments (RFC 2928), with benchmarking (RFC 5180)
    v6(0x2001, 0xdb8, 0, 32), // documentation (RFC 3849)
    v6(0x3fff, 0, 0, 20),     // documentation (RFC 9637)
];
/// IPv4 behind a translation (RFC 6052): the last four bytes. That of networks' own, 64:ff9b:1::/48 (RFC 8215), is not global.
const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// IPv6 in IPv4 (RFC 3056): the four bytes after the prefix are whom it goes to.
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
/// IPv6 in UDP (RFC 4380): the server's IPv4 address, and the client's with its bits turned.
const TEREDO: Ipv6Net = v6(0x2001, 0, 0, 32);

/// What may be connected to though it is not on the public internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A host, by the name that is in the address, whatever it resolves to.
    Host(String),
    /// An address, or a network of them.
    Net(IpNet),
}

/// An entry of `egress_allow` that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "setting egress_allow: expected host names, IP addresses or networks such as 10.0.0.0/8, with commas between them, got {0:?}"
)]
pub struct BadAllowed(String);

impl Allowed {
    /// Reads the setting `egress_allow`: entries with commas between them, none for nothing.
    ///
    /// # Errors
    /// The entry that is none.
    pub fn list(setting: &str) -> Result<Vec<Self>, BadAllowed> {
        setting.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::parse).collect()
    }
}

impl FromStr for Allowed {
    type Err = BadAllowed;

    fn from_str(entry: &str) -> Result<Self, BadAllowed> {
        if let Ok(net) = entry.parse::<IpNet>() {
            return Ok(Self::Net(net));
        }
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        // The rules of addresses, so that a name is spelled here as it comes out of an address. A star would be taken for a letter.
        match Host::parse(entry) {
            _ if entry.contains('*') => Err(BadAllowed(entry.to_owned())),
            Ok(Host::Domain(name)) => Ok(Self::Host(without_dot(&name).to_owned())),
            Ok(Host::Ipv4(address)) => Ok(Self::Net(IpAddr::V4(address).into())),
            Ok(Host::Ipv6(address)) => Ok(Self::Net(IpAddr::V6(address).into())),
            Err(_) => Err(BadAllowed(entry.to_owned())),
        }
    }
}

/// Whether an address is on the public internet. Of addresses that hold another, that decides.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    !NOT_GLOBAL_V4.iter().any(|net| net.contains(&address))
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_global_v4(mapped);
    }
    let bytes = address.octets();
    let inner = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
    if NAT64.contains(&address) {
        return is_global_v4(inner(12));
    }
    if SIX_TO_FOUR.contains(&address) {
        return is_global_v4(inner(2));
    }
    if TEREDO.contains(&address) {
        return is_global_v4(inner(4)) && is_global_v4(!inner(12));
    }
    GLOBAL_UNICAST.contains(&address) && !NOT_GLOBAL_V6.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_global_or_not() {
        let refused = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 \
            127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 \
            192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 \
            203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 \
            ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:8.8.8.8 64:ff9b::127.0.0.1 \
            64:ff9b::10.1.2.3 64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 64:ff9b:1:a00:0:100:: 2002:7f00:1:: \
            2002:a00:1::1 2002:c0a8:101::1 2002:a9fe:a9fe:: 2001:0:7f00:1:: 2001:0:808:808::f5ff:fffe 100::1 \
            2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 3fff::1 3fff:fff:ffff::1 4000::1 \
            5f00::1 fc00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1";
        for address in refused.split_whitespace() {
            assert!(!is_global(address.parse().unwrap()), "{address}");
        }
        let global = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 \
            168.63.129.17 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 \
            198.20.0.1 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2001:0:808:808::f7f7:f7f7 \
            2001:200::1 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1 3ffe::1";
        for address in global.split_whitespace() {
            assert!(is_global(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_setting_is_read() {
        let list = Allowed::list("10.0.0.0/8, Calendar.Example.COM. ,::1,fd00::/8,192.168.1.7").unwrap();
        let nets = ["10.0.0.0/8", "::1/128", "fd00::/8", "192.168.1.7/32"];
        let [first, others @ ..] = nets.map(|net| Allowed::Net(net.parse().unwrap()));
        let mut expected = vec![first, Allowed::Host("calendar.example.com".to_owned())];
        expected.extend(others);
        assert_eq!(list, expected);
        assert_eq!(Allowed::list(" , ").unwrap(), []);
        for bad in ["10.0.0.0/33", "a b", "host:80", "https://example.com", "*.example.com"] {
            let error = Allowed::list(bad).unwrap_err().to_string();
            assert!(error.contains("egress_allow") && error.contains(bad), "{error}");
        }
    }
}
