//! A client as the service sees it: a transport that speaks a dialect, once that is known.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use chat_core::{CloseReason, Delivery, Encoded, Format, Transport};
use chat_protocol::{Dialect, EncodeContext, Endpoint, Event};
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::end::{End, encode};
use super::outbox::Outbox;
use crate::metrics::Tally;

/// Most events that wait for a client to show which dialect it speaks; past it the oldest are dropped.
const HELD_EVENTS: usize = 64;

/// A ping frame that holds nothing (RFC 6455, section 5.5.2).
const PING: &[u8] = &[0x89, 0];

/// The form in which a client whose dialect is not known yet gets messages and errors: a plain client can read it, too.
const UNDECIDED: Dialect = Dialect::Typed;

/// A connected client.
#[derive(Debug)]
pub(crate) struct Client {
    dialect: OnceLock<Dialect>,
    context: EncodeContext,
    /// The address that it counts as, where it is known.
    peer: Option<SocketAddr>,
    /// Events that wait for the dialect to show, oldest first.
    held: Mutex<Vec<Event>>,
    outbox: Outbox,
    /// The beat of its last sign of life.
    heard_at: AtomicU64,
}

impl Client {
    pub(crate) fn new(
        dialect: Option<Dialect>,
        context: EncodeContext,
        peer: Option<SocketAddr>,
        max_queue_bytes: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            dialect: dialect.map_or_else(OnceLock::new, OnceLock::from),
            context,
            peer,
            held: Mutex::default(),
            outbox: Outbox::new(max_queue_bytes),
            heard_at: AtomicU64::new(0),
        })
    }

    pub(super) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(super) const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// What the client was sent.
    pub(crate) fn tally(&self) -> Tally {
        self.outbox.tally()
    }

    /// The dialect of the client, where it is known.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.dialect.get().copied()
    }

    pub(super) const fn is_listener(&self) -> bool {
        matches!(self.context.endpoint, Endpoint::Listener)
    }

    /// Speaks this dialect from now on, beginning with what was held back.
    pub(super) fn speak(&self, dialect: Dialect) {
        let mut held = self.held.lock();
        for event in held.drain(..) {
            self.push(dialect, &Delivery::new(&event));
        }
        // Set while `held` is locked, so that nothing overtakes what was held back. Who decided first has decided.
        let _ = self.dialect.set(dialect);
        drop(held);
        self.outbox.flush();
    }

    /// Notes a sign of life.
    pub(super) fn hear(&self, beat: u64) {
        self.heard_at.store(beat, Ordering::Relaxed);
    }

    /// The beat of its last sign of life.
    pub(super) fn heard_at(&self) -> u64 {
        self.heard_at.load(Ordering::Relaxed)
    }

    /// Ends the connection. The first reason counts.
    pub(crate) fn end(&self, end: End) {
        self.outbox.end(end);
    }

    /// Why the connection must end, once it must.
    #[cfg(test)]
    pub(crate) fn ends(&self) -> Option<End> {
        futures::FutureExt::now_or_never(std::future::poll_fn(|cx| self.outbox.poll_end(cx)))
    }

    /// Asks for a sign of life.
    pub(super) fn ping(&self) {
        self.outbox.send(&Bytes::from_static(PING), 1);
    }

    fn push(&self, dialect: Dialect, delivery: &Delivery<'_>) {
        if let Some(Encoded { bytes, count }) = self.frames(dialect, delivery) {
            self.outbox.push(bytes.clone(), *count);
        }
    }

    fn frames<'a>(&self, dialect: Dialect, delivery: &'a Delivery<'_>) -> Option<&'a Encoded> {
        delivery.encoded(self.format(dialect), |event| {
            let text = dialect.encode_event(event, &self.context)?;
            encode(Frame::message(text, OpCode::Data(Data::Text), true))
        })
    }

    /// What the encoding of an event depends on. The language is the same for all.
    fn format(&self, dialect: Dialect) -> Format {
        let room_number = self.context.room_number.map_or(0, |id| id.value().cast_unsigned());
        let endpoint = match self.context.endpoint {
            Endpoint::Room => 0,
            Endpoint::Listener => 1,
        };
        Format(u128::from(room_number) << 16 | (dialect as u128) << 1 | endpoint)
    }

    fn hold_back(&self, delivery: &Delivery<'_>) {
        let mut held = self.held.lock();
        if let Some(dialect) = self.dialect() {
            return self.push(dialect, delivery);
        }
        for event in delivery.events() {
            if let Event::MessagePosted(_) | Event::Refused(_) = event {
                self.push(UNDECIDED, &Delivery::new(event));
                continue;
            }
            if held.len() == HELD_EVENTS {
                held.remove(0);
            }
            held.push(event.clone());
        }
    }
}

#[async_trait]
impl Transport for Client {
    async fn ready(&self) {
        self.outbox.has_room().await;
    }

    fn flush(&self) {
        self.outbox.flush();
    }

    fn close(&self, reason: CloseReason) {
        match reason {
            CloseReason::Removed => self.end(End::Removed),
            // A reason that a newer service has, which ends the connection all the same.
            _ => self.end(End::SignedOut),
        }
    }

    fn deliver(&self, delivery: &Delivery<'_>) {
        match self.dialect() {
            Some(dialect) => self.push(dialect, delivery),
            None => self.hold_back(delivery),
        }
    }

    fn deliver_last(&self, delivery: &Delivery<'_>) {
        let frames = self.dialect().and_then(|dialect| self.frames(dialect, delivery));
        if let Some(Encoded { bytes, count }) = frames {
            return self.outbox.send(bytes, *count);
        }
        self.deliver(delivery);
        self.flush();
    }
}
