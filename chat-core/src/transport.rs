//! How an event reaches one connected client.

use std::cell::RefCell;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chat_protocol::Event;

/// One connected client, as the service sees it.
///
/// [`deliver`](Self::deliver) is called for every event that concerns the client, in the order that the client must
/// see. It may be called from any thread, while a room is locked: it must not wait, and must not call the service. A
/// client that cannot keep up is for the transport to cut off.
///
/// Delivery is over when the [`Session`](crate::Session) is dropped.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Takes an event, or its encoding, towards the client. It need not go further before it is [flushed](Self::flush).
    fn deliver(&self, delivery: &Delivery<'_>);

    /// Lets what was delivered go: the last delivery was one, for now. Called as [`deliver`](Self::deliver) is.
    ///
    /// Does nothing unless it is implemented: a transport may let go what it is handed at once.
    fn flush(&self) {}

    /// Waits until little of what was delivered is still on its way, or the client is gone. What a client has
    /// [missed](crate::CatchUp) is delivered at this pace.
    ///
    /// Does not wait unless it is implemented: a client in the same process may have no queue.
    async fn ready(&self) {}

    /// Ends the connection; nothing is delivered any more. Called as [`deliver`](Self::deliver) is.
    ///
    /// Does nothing unless it is implemented: a client in the same process may have nothing to end.
    fn close(&self, reason: CloseReason) {
        let _ = reason;
    }
}

/// Why the service ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The user is not a member of the room any more.
    Removed,
}

/// The form in which a transport wants events encoded. Transports with the same format share the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format(
    /// Chosen by the transports; the service only compares it.
    pub u128,
);

/// An event on its way to any number of clients, encoded at most once for each [`Format`].
#[derive(Debug)]
pub struct Delivery<'a> {
    event: &'a Event,
    encoded: RefCell<Vec<(Format, Option<Bytes>)>>,
}

impl<'a> Delivery<'a> {
    /// A delivery of this event.
    #[must_use]
    pub const fn new(event: &'a Event) -> Self {
        Self { event, encoded: RefCell::new(Vec::new()) }
    }

    /// The event itself.
    #[must_use]
    pub const fn event(&self) -> &'a Event {
        self.event
    }

    /// The event in a format: what `encode` makes of it the first time that anybody asks for this format.
    ///
    /// `None` where the format has no form for the event.
    pub fn encoded(&self, format: Format, encode: impl FnOnce(&Event) -> Option<Bytes>) -> Option<Bytes> {
        let known =
            self.encoded.borrow().iter().find(|(known, _)| *known == format).map(|(_, bytes)| bytes.clone());
        if let Some(bytes) = known {
            return bytes;
        }
        let bytes = encode(self.event);
        self.encoded.borrow_mut().push((format, bytes.clone()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::{ErrorCode, Refusal};

    #[test]
    fn an_event_is_encoded_once_for_each_format() {
        let event = Event::Refused(Refusal::new(ErrorCode::Other));
        let delivery = Delivery::new(&event);
        let mut calls = 0;
        for format in [1, 2, 1, 2, 1] {
            let bytes = delivery.encoded(Format(format), |_| {
                calls += 1;
                (format == 1).then(|| Bytes::from_static(b"one"))
            });
            assert_eq!(bytes.is_some(), format == 1);
        }
        assert_eq!(calls, 2);
    }
}
