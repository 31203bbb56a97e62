//! From a server's name to addresses that may be connected to: one look-up, every answer checked.

use super::address::{Reach, reach};
use futures::future::BoxFuture;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Looks up names of servers for a [`Host`](crate::Host): by default the machine's own resolver does.
///
/// Nothing that it answers is trusted: each address goes through the same checks as the machine's answers, and
/// `localhost` is never asked for. A component has no part in it.
pub trait Resolve: Send + Sync {
    /// The addresses of a name, in the order in which they are tried.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// The names that stand for this machine (RFC 6761): never asked of a server.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Every address of a server was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its addresses are of this machine or network, or of no use to a provider")]
pub(super) struct AddressRefused;

/// Whether an address may be connected to. `local`: the user named a server of this machine or network.
fn allowed(ip: IpAddr, local: bool) -> bool {
    match reach(ip) {
        Reach::Public => true,
        Reach::Local => local,
        Reach::Never => false,
    }
}

/// The addresses of a server that may be connected to, from one look-up. An address in place of a name is checked by
/// itself, with its brackets if it is of IPv6.
pub(super) async fn addresses(
    host: &str,
    local: bool,
    resolver: &dyn Resolve,
) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let found = match literal {
        Ok(ip) => vec![ip],
        Err(_) if is_localhost(host) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Err(_) => resolver.resolve(host).await?,
    };
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "its name has no address").into());
    }
    let checked: Vec<IpAddr> = found.into_iter().filter(|ip| allowed(*ip, local)).collect();
    if checked.is_empty() { Err(AddressRefused.into()) } else { Ok(checked) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Fixed(&'static [&'static str]);

    impl Resolve for Fixed {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            Box::pin(async { Ok(self.0.iter().map(|ip| ip.parse().unwrap()).collect()) })
        }
    }

    #[tokio::test]
    async fn only_checked_addresses_come_out() {
        let mixed = Fixed(&["169.254.169.254", "127.0.0.1", "8.8.8.8", "::ffff:10.0.0.1", "::"]);
        let of = async |host, local| addresses(host, local, &mixed).await;
        assert_eq!(of("a.example", false).await.unwrap(), ["8.8.8.8".parse::<IpAddr>().unwrap()]);
        assert_eq!(of("a.example", true).await.unwrap().len(), 3);
        // Never asked of the resolver, whatever that may say.
        assert!(of("localhost", false).await.unwrap_err().is::<AddressRefused>());
        assert!(of("x.LOCALHOST.", true).await.unwrap().iter().all(IpAddr::is_loopback));
        for literal in ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]"] {
            assert!(of(literal, false).await.unwrap_err().is::<AddressRefused>(), "{literal}");
            assert_eq!(of(literal, true).await.unwrap().len(), 1, "{literal}");
        }
        for literal in ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0"] {
            assert!(of(literal, true).await.unwrap_err().is::<AddressRefused>(), "{literal}");
        }
        assert!(!addresses("a.example", true, &Fixed(&[])).await.unwrap_err().is::<AddressRefused>());
    }
}
