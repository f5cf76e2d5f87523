//! The audit log: who connected, was refused, entered, wrote, signed in or out. One line each, at the target `audit`.
//!
//! It never has texts of messages, passwords, cookies or tokens. What people chose themselves is a valid name or is
//! escaped, so that nobody can write lines of their own.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};

use chat_core::Session;
use chat_protocol::{Excerpt, Username};

/// The target of all lines, for filters.
pub(crate) const TARGET: &str = "audit";

/// Shows a value, or `-` where there is none.
fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Shows an address, without a port where that is not known: a proxy did not tell it.
fn shown(peer: Option<SocketAddr>) -> String {
    match peer {
        Some(peer) if peer.port() == 0 => peer.ip().to_string(),
        peer => or_dash(peer),
    }
}

/// Whether anybody wants these lines; each costs more than a message does.
fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

pub(crate) fn connected(session: &Session, peer: Option<SocketAddr>) {
    if is_wanted() {
        let (connection, user, room) = of(session);
        tracing::info!(target: TARGET, action = "connect", connection, user, room, address = shown(peer));
    }
}

pub(crate) fn disconnected(session: &Session, peer: Option<SocketAddr>, end: impl Debug) {
    if is_wanted() {
        let (connection, user, room) = of(session);
        tracing::info!(target: TARGET, action = "disconnect", connection, user, room, address = shown(peer), end = ?end);
    }
}

pub(crate) fn sent(session: &Session, peer: Option<SocketAddr>) {
    if is_wanted() {
        let (connection, user, room) = of(session);
        tracing::info!(target: TARGET, action = "send", connection, user, room, address = shown(peer));
    }
}

pub(crate) fn refused(path: &str, reason: &dyn std::error::Error, peer: Option<SocketAddr>) {
    if is_wanted() {
        // Debug escapes what a path may hold.
        tracing::info!(target: TARGET, action = "refuse", path = ?path, reason = %reason, address = shown(peer));
    }
}

pub(crate) fn signed_in(user: &Username, address: Option<IpAddr>) {
    tracing::info!(target: TARGET, action = "sign in", user = %user, address = or_dash(address));
}

/// The name is what somebody typed: anything, even a password in the wrong field. A little of it, escaped, must do.
pub(crate) fn not_signed_in(name: &str, address: Option<IpAddr>) {
    let name = Excerpt::of(name);
    tracing::info!(target: TARGET, action = "refuse sign in", name = ?name, address = or_dash(address));
}

pub(crate) fn signed_out(user: &Username, address: Option<IpAddr>) {
    tracing::info!(target: TARGET, action = "sign out", user = %user, address = or_dash(address));
}

pub(crate) fn cleared(user: &Username, notifications: usize) {
    tracing::info!(target: TARGET, action = "clear notifications", user = %user, notifications);
}

fn of(session: &Session) -> (u64, String, String) {
    let room = session.room().map(|room| room.name.clone());
    (session.id(), or_dash(session.user().map(|user| &user.name)), or_dash(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_shown_where_it_is_known() {
        for (address, expected) in [
            ("192.0.2.1:50000", "192.0.2.1:50000"),
            ("192.0.2.1:0", "192.0.2.1"),
            ("[2001:db8::1]:0", "2001:db8::1"),
        ] {
            assert_eq!(shown(address.parse().ok()), expected);
        }
        assert_eq!(shown(None), "-");
    }
}
