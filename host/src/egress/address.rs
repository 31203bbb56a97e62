//! Which addresses a plugin's request may really go to, whatever its name says.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The internet.
    Public,
    /// This machine or network: only where the user names the server.
    Local,
    /// Nothing that a provider could live at, the clouds' metadata services among them.
    Never,
}

/// An IPv4 address in IPv6 clothes (mapped, NAT64) as what it is.
pub(super) fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => ip,
    }
}

pub(super) fn reach(ip: IpAddr) -> Reach {
    match canonical(ip) {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

/// The reach of a URL whose host is an address; `None` for a name, which [`Resolver`] judges.
pub(super) fn reach_of(url: &url::Url) -> Option<Reach> {
    match url.host()? {
        url::Host::Ipv4(ip) => Some(reach(ip.into())),
        url::Host::Ipv6(ip) => Some(reach(ip.into())),
        url::Host::Domain(_) => None,
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    // Link-local holds the metadata services; 100.100.100.200 is one too.
    let metadata = ip.is_link_local() || ip == Ipv4Addr::new(100, 100, 100, 200);
    let benchmark = a == 198 && (b & 0xfe) == 18;
    if metadata
        || ip.is_broadcast()
        || ip.is_multicast()
        || ip.is_documentation()
        || benchmark
        || a == 0
        || a >= 240
        || (a, b, c) == (192, 0, 0)
    {
        Reach::Never
    } else if ip.is_loopback() || ip.is_private() || (a == 100 && (b & 0xc0) == 64) {
        Reach::Local
    } else {
        Reach::Public
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let first = ip.segments()[0];
    let metadata = ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let documentation = first == 0x2001 && ip.segments()[1] == 0xdb8;
    let link_local = (first & 0xffc0) == 0xfe80;
    // 6to4, Teredo and local NAT64 hide an IPv4 address that would have to be checked again.
    let tunnel = first == 0x2002
        || (first == 0x2001 && ip.segments()[1] == 0)
        || (first == 0x64 && ip.segments()[1] == 0xff9b);
    if metadata || documentation || link_local || tunnel || ip.is_unspecified() || ip.is_multicast() {
        Reach::Never
    } else if ip.is_loopback() || (first & 0xfe00) == 0xfc00 {
        Reach::Local
    } else {
        Reach::Public
    }
}

/// The names that stand for this machine (RFC 6761): never asked of a server.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Resolves names once, by the host, and gives the connection only addresses that have been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    /// The user named a server of this machine or network.
    pub(super) local: bool,
}

impl Resolver {
    pub(super) fn allows(self, ip: IpAddr) -> bool {
        match reach(ip) {
            Reach::Public => true,
            Reach::Local => self.local,
            Reach::Never => false,
        }
    }
}

/// Every address of a name was refused.
#[derive(Debug, thiserror::Error)]
#[error("its addresses are of this machine or network, or of no use to a provider")]
pub(super) struct AddressRefused;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = if is_localhost(name.as_str()) {
                vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect()
            };
            let none_found = found.is_empty();
            let checked: Vec<SocketAddr> =
                found.into_iter().filter(|address| resolver.allows(address.ip())).collect();
            if checked.is_empty() && !none_found {
                return Err(AddressRefused.into());
            }
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_they_are_under_any_clothes() {
        let cases = [
            ("1.1.1.1", Reach::Public),
            ("2606:4700::1111", Reach::Public),
            ("127.0.0.1", Reach::Local),
            ("10.1.2.3", Reach::Local),
            ("172.31.0.1", Reach::Local),
            ("172.32.0.1", Reach::Public),
            ("192.168.0.1", Reach::Local),
            ("100.64.0.1", Reach::Local),
            ("::1", Reach::Local),
            ("fd12::1", Reach::Local),
            ("::ffff:10.0.0.1", Reach::Local),
            ("64:ff9b::7f00:1", Reach::Local),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("64:ff9b:1::1", Reach::Never),
            ("169.254.169.254", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("192.0.2.1", Reach::Never),
            ("198.18.0.1", Reach::Never),
            ("2001:db8::1", Reach::Never),
            ("2002:7f00:1::", Reach::Never),
            ("fe80::1", Reach::Never),
        ];
        for (text, want) in cases {
            assert_eq!(reach(text.parse().unwrap()), want, "{text}");
        }
    }
}
