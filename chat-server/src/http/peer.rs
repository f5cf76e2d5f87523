//! Whose address a request counts as: that of the client, also where proxies stand before the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::map_request_with_state;

use crate::config::Network;

/// What a proxy says of where a request comes from: it adds the address that it sees at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request counts as: the one at the other end of the connection, as the listener leaves it with each
/// request, or the one that a trusted proxy tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) SocketAddr);

/// The address that a request counts as, where this server's own listener or axum's has left one. Its port is 0 where a
/// proxy did not tell it.
pub(super) fn of(extensions: &Extensions) -> Option<SocketAddr> {
    let own = extensions.get::<PeerAddress>().map(|PeerAddress(peer)| *peer);
    own.or_else(|| extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer))
}

/// Makes requests that come through trusted proxies count as coming from their clients, as
/// [`Config::trusted_proxies`](crate::Config::trusted_proxies) does it for a whole [`Server`](crate::Server): where log-ins
/// and sign-ups are counted, in the audit log, and in what an [`Authenticator`](chat_core::Authenticator) is told.
///
/// It holds for the routes that the router has by then, so it comes last. The address of a proxy is the one that axum's
/// `ConnectInfo<SocketAddr>` tells; where there is none, nobody is taken for a proxy. What a proxy says is read from
/// `X-Forwarded-For`: name only those that set it, for anybody can write that header. Without proxies it is not read.
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::Router;
/// use chat_core::ChatService;
/// use chat_core::memory::{LocalChannelLayer, MemoryStorage};
/// use chat_server::{GatewayConfig, Network, SystemClock, router, trust_proxies};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (service, driver) =
///     ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), SystemClock, Default::default());
/// tokio::spawn(driver.run());
///
/// let app = Router::new().nest("/support", router(service, GatewayConfig::default()));
/// let balancers: Network = "10.0.0.0/24".parse()?;
/// let app = trust_proxies(app, vec![balancers]);
/// let app = app.into_make_service_with_connect_info::<SocketAddr>(); // for axum::serve
/// # drop(app);
/// # Ok(())
/// # }
/// ```
pub fn trust_proxies(router: Router, proxies: Vec<Network>) -> Router {
    if proxies.is_empty() {
        return router;
    }
    router.layer(map_request_with_state(Arc::<[Network]>::from(proxies), forwarded))
}

async fn forwarded(State(proxies): State<Arc<[Network]>>, mut request: Request) -> Request {
    if let Some(peer) = of(request.extensions()) {
        let client = client_of(peer, request.headers(), &proxies);
        request.extensions_mut().insert(PeerAddress(client));
    }
    request
}

/// The last address that is no trusted proxy's, of those in the header and the one at the other end. What stands before
/// it only the client has said. What is no address ends the search: then the one after it counts.
fn client_of(peer: SocketAddr, headers: &HeaderMap, proxies: &[Network]) -> SocketAddr {
    let is_trusted = |address: SocketAddr| proxies.iter().any(|network| network.contains(address.ip()));
    let lists = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut entries = lists.flat_map(|list| list.as_bytes().rsplit(|byte| *byte == b','));
    let mut address = peer;
    while is_trusted(address) {
        let Some(before) = entries.next().and_then(parse) else { break };
        address = before;
    }
    address
}

/// An address, to which some proxies add a port.
fn parse(entry: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(entry).ok()?.trim();
    let without_port = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 0));
    text.parse().ok().or_else(without_port)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// The address that a request from another one counts as, with these headers.
    fn client(peer: &str, lists: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(list).unwrap());
        }
        let proxies: [Network; 2] = ["10.0.0.0/8", "fd00::1"].map(|network| network.parse().unwrap());
        client_of(format!("{peer}:50000").parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        assert_eq!(client("10.0.0.1", &[b"192.0.2.1"]), "192.0.2.1:0");
        assert_eq!(client("[fd00::1]", &[b"192.0.2.1"]), "192.0.2.1:0");
        assert_eq!(client("[::ffff:10.0.0.1]", &[b"192.0.2.1"]), "192.0.2.1:0");
        assert_eq!(client("10.0.0.1", &[b"198.51.100.1, 192.0.2.1"]), "192.0.2.1:0", "the client wrote one");
        assert_eq!(client("10.0.0.1", &[b"192.0.2.1, 10.0.0.2 ,10.0.0.3"]), "192.0.2.1:0", "a chain of them");
        assert_eq!(
            client("10.0.0.1", &[b"192.0.2.1", b"10.0.0.2"]),
            "192.0.2.1:0",
            "two headers are one list"
        );
        assert_eq!(client("10.0.0.1", &[b"192.0.2.1:4711"]), "192.0.2.1:4711");
        assert_eq!(client("10.0.0.1", &[b"2001:db8::1"]), "[2001:db8::1]:0");
        assert_eq!(client("10.0.0.1", &[b"[2001:db8::1]:4711"]), "[2001:db8::1]:4711");
        assert_eq!(client("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"]), "10.0.0.3:0", "proxies all the way");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1:50000");
        for malformed in ["", " ", "unknown", "192.0.2", "_hidden", "192.0.2.1 192.0.2.2", "\u{e9}"] {
            let lists = [malformed.as_bytes()];
            assert_eq!(client("10.0.0.1", &lists), "10.0.0.1:50000", "{malformed:?}");
            let list = format!("192.0.2.1,{malformed},10.0.0.2");
            assert_eq!(client("10.0.0.1", &[list.as_bytes()]), "10.0.0.2:0", "{malformed:?}");
            let list = format!("{malformed}, 192.0.2.1");
            assert_eq!(client("10.0.0.1", &[list.as_bytes()]), "192.0.2.1:0", "{malformed:?}");
        }
        assert_eq!(
            client("10.0.0.1", &[b"\xff, 192.0.2.1"]),
            "192.0.2.1:0",
            "nobody hides behind other bytes"
        );
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(client("203.0.113.9", &[b"192.0.2.1"]), "203.0.113.9:50000");
        assert_eq!(client("[2001:db8::1]", &[b"10.0.0.1"]), "[2001:db8::1]:50000");
    }
}
