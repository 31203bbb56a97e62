//! What an address is to us, whatever form it comes in. Deny first: what is not known to be of the internet is not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The internet.
    Public,
    /// This machine or network: only where the user names the server.
    Local,
    /// Nothing that a provider could live at, the clouds' metadata services among them. Nobody can grant it.
    Never,
}

/// Metadata services that are not link-local, which all others are: they give out a machine's own credentials.
const METADATA_V4: [Ipv4Addr; 2] = [
    // Alibaba.
    Ipv4Addr::new(100, 100, 100, 200),
    // Azure's wire server, at an address of the internet.
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same among unique-local addresses.
const METADATA_V6: [Ipv6Addr; 5] = [
    // Amazon's instance metadata, and the credentials of its pods.
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    // Google.
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    // Oracle.
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    // Scaleway.
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// An IPv4 address in IPv6 clothes that machines take off again (mapped, NAT64) as what it is.
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

/// The reach of a URL whose host is an address; `None` for a name, which is judged by what it resolves to.
pub(super) fn reach_of(url: &url::Url) -> Option<Reach> {
    match url.host()? {
        url::Host::Ipv4(ip) => Some(reach(ip.into())),
        url::Host::Ipv6(ip) => Some(reach(ip.into())),
        url::Host::Domain(_) => None,
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    let benchmarking = a == 198 && (b & 0xfe) == 18;
    // Protocol assignments, and relays of 6to4.
    let assigned = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    if METADATA_V4.contains(&ip)
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || benchmarking
        || assigned
        || a == 0
        || a >= 240
    {
        Reach::Never
    } else if ip.is_loopback() || ip.is_private() || (a == 100 && (b & 0xc0) == 64) {
        Reach::Local
    } else {
        Reach::Public
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let [first, second, _, _, _, tag, _, _] = ip.segments();
    if METADATA_V6.contains(&ip) {
        return Reach::Never;
    }
    if ip.is_loopback() || (first & 0xfe00) == 0xfc00 {
        return Reach::Local;
    }
    // The rest of what is not global unicast: unspecified, v4-compatible and translated, local NAT64, discard-only,
    // link-local, site-local, multicast, and all that is not assigned.
    let global = (first & 0xe000) == 0x2000;
    // Protocol assignments, with Teredo, benchmarking and ORCHID in them.
    let assigned = first == 0x2001 && second < 0x200;
    let documentation = (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
    // 6to4 and ISATAP hide an IPv4 address, which would have to be checked again.
    let tunnel = first == 0x2002 || (tag == 0x5efe && ip.segments()[4] & !0x200 == 0);
    if !global || assigned || documentation || tunnel { Reach::Never } else { Reach::Public }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_they_are_under_any_clothes() {
        let public =
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2001:4860::8888"];
        let mapped_public = ["::ffff:1.1.1.1", "64:ff9b::1.1.1.1"];
        let loopback = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"];
        let private = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "::ffff:10.0.0.1"];
        let shared = ["100.64.0.1", "100.127.255.255"];
        let unique_local = ["fc00::1", "fd12::1", "fdff::1"];
        let link_local = ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::a9fe:a9fe", "febf::1"];
        let metadata = [
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "169.254.170.2",
            "100.100.100.200",
            "::ffff:100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
        ];
        let multicast = ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"];
        let unspecified = ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"];
        let documentation =
            ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"];
        let benchmarking = ["198.18.0.1", "198.19.255.255", "2001:2::1"];
        let reserved =
            ["192.0.0.1", "192.88.99.1", "240.0.0.1", "255.255.255.255", "100::1", "fec0::1", "4000::1"];
        let compatible = ["::127.0.0.1", "::10.0.0.1", "::169.254.169.254", "::1.1.1.1"];
        let translated = ["::ffff:0:127.0.0.1", "64:ff9b:1::127.0.0.1", "64:ff9b:1::1", "64:ff9b:0:1::1"];
        let tunnels = [
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db9::5efe:127.0.0.1",
            "2606:4700::200:5efe:10.0.0.1",
            "2001:20::1",
        ];
        let cases: [(&[&str], Reach); 16] = [
            (&public, Reach::Public),
            (&mapped_public, Reach::Public),
            (&loopback, Reach::Local),
            (&private, Reach::Local),
            (&shared, Reach::Local),
            (&unique_local, Reach::Local),
            (&link_local, Reach::Never),
            (&metadata, Reach::Never),
            (&multicast, Reach::Never),
            (&unspecified, Reach::Never),
            (&documentation, Reach::Never),
            (&benchmarking, Reach::Never),
            (&reserved, Reach::Never),
            (&compatible, Reach::Never),
            (&translated, Reach::Never),
            (&tunnels, Reach::Never),
        ];
        for (texts, want) in cases {
            for text in texts {
                assert_eq!(reach(text.parse().unwrap()), want, "{text}");
            }
        }
    }
}
