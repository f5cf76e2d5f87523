//! Ports for servers that are started again where they were.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system gives to whoever asks for any: one of those could be taken while a server is away.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port of this machine that is free now, and that nobody gets who asks for any. Each call gives another one.
#[must_use]
pub fn lasting() -> SocketAddr {
    static CALLS: AtomicU16 = AtomicU16::new(0);
    // Tests in other processes begin elsewhere.
    let start = std::process::id().wrapping_mul(127) % u32::from(COUNT);
    let start = u16::try_from(start).expect("it is below a number of 16 bits");
    loop {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(call) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
