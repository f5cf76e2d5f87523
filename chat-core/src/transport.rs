//! How an event reaches one connected client.

use std::cell::OnceCell;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chat_protocol::Event;

/// One connected client, as the service sees it.
///
/// [`deliver`](Self::deliver) is called for every event that concerns the client, those of a room in the order that the client
/// must see. It may be called from any thread, from two at a time where the client is in two rooms, and while a room is
/// locked: it must not wait, and must not call the service. A client that cannot keep up is for the transport to cut off.
///
/// Delivery is over when the [`Session`](crate::Session) is dropped.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Takes events, or their encoding, towards the client. They need not go further before they are
    /// [flushed](Self::flush).
    fn deliver(&self, delivery: &Delivery<'_>);

    /// Lets what was delivered go: the last delivery was one, for now. Called as [`deliver`](Self::deliver) is.
    ///
    /// Does nothing unless it is implemented: a transport may let go what it is handed at once.
    fn flush(&self) {}

    /// As [`deliver`](Self::deliver) and [`flush`](Self::flush), one after the other: nothing follows, for now. Most events
    /// come so.
    fn deliver_last(&self, delivery: &Delivery<'_>) {
        self.deliver(delivery);
        self.flush();
    }

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

/// Events on their way to any number of clients, in this order, encoded at most once for each [`Format`].
#[derive(Debug)]
pub struct Delivery<'a> {
    events: Events<'a>,
    forms: Forms<Encoded>,
}

#[derive(Debug, Clone, Copy)]
enum Events<'a> {
    Plain(&'a [Event]),
    Kept(&'a [Kept]),
}

/// An event that goes out in several deliveries, and yet is encoded once for each [`Format`].
#[derive(Debug)]
pub(crate) struct Kept {
    event: Event,
    forms: Forms<Bytes>,
}

/// What something is in each of the formats that were asked for.
#[derive(Debug)]
struct Forms<T> {
    /// In the format that was asked for first: mostly the only one.
    first: OnceCell<(Format, Option<T>)>,
    others: OnceCell<Box<Self>>,
}

/// The events of a [`Delivery`] in a [`Format`], one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What was made of them.
    pub bytes: Bytes,
    /// How many they are; those for which the format has no form are not among them.
    pub count: usize,
}

impl<'a> Delivery<'a> {
    /// A delivery of one event.
    #[must_use]
    pub const fn new(event: &'a Event) -> Self {
        Self::of(std::slice::from_ref(event))
    }

    /// A delivery of these events, in their order.
    #[must_use]
    pub const fn of(events: &'a [Event]) -> Self {
        Self { events: Events::Plain(events), forms: Forms::none() }
    }

    /// A delivery of these events, in their order, which share their encodings with other deliveries.
    pub(crate) const fn of_kept(events: &'a [Kept]) -> Self {
        Self { events: Events::Kept(events), forms: Forms::none() }
    }

    /// The events themselves.
    pub fn events(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        let (plain, kept) = match self.events {
            Events::Plain(plain) => (plain, Default::default()),
            Events::Kept(kept) => (Default::default(), kept),
        };
        plain.iter().chain(kept.iter().map(|kept| &kept.event))
    }

    /// The events in a format: what `encode` makes of each the first time that anybody asks for this format.
    ///
    /// `None` where the format has no form for any of them.
    pub fn encoded(
        &self,
        format: Format,
        mut encode: impl FnMut(&Event) -> Option<Bytes>,
    ) -> Option<&Encoded> {
        self.forms.of(format, || match self.events {
            Events::Plain(events) => join(events.iter().filter_map(encode)),
            Events::Kept(events) => {
                let encoded = |kept: &Kept| kept.forms.of(format, || encode(&kept.event)).cloned();
                join(events.iter().filter_map(encoded))
            }
        })
    }
}

impl Kept {
    pub(crate) const fn new(event: Event) -> Self {
        Self { event, forms: Forms::none() }
    }

    pub(crate) const fn event(&self) -> &Event {
        &self.event
    }
}

impl<T> Forms<T> {
    const fn none() -> Self {
        Self { first: OnceCell::new(), others: OnceCell::new() }
    }

    fn of(&self, format: Format, encode: impl FnOnce() -> Option<T>) -> Option<&T> {
        let mut forms = self;
        while let Some((known, encoded)) = forms.first.get() {
            if *known == format {
                return encoded.as_ref();
            }
            forms = forms.others.get_or_init(|| Box::new(Self::none()));
        }
        forms.first.get_or_init(|| (format, encode())).1.as_ref()
    }
}

/// Puts one behind the other; one alone is not copied.
fn join(mut parts: impl Iterator<Item = Bytes>) -> Option<Encoded> {
    let bytes = parts.next()?;
    let rest: Vec<Bytes> = parts.collect();
    if rest.is_empty() {
        return Some(Encoded { bytes, count: 1 });
    }
    let all = std::iter::once(bytes).chain(rest).collect::<Vec<_>>();
    Some(Encoded { bytes: all.concat().into(), count: all.len() })
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

    #[test]
    fn several_events_are_encoded_one_behind_the_other() {
        let events = [ErrorCode::Other, ErrorCode::BinaryFrame, ErrorCode::Other]
            .map(|code| Event::Refused(Refusal::new(code)));
        let delivery = Delivery::of(&events);
        let encoded =
            delivery.encoded(Format(1), |event| (*event == events[0]).then(|| Bytes::from_static(b"one")));
        assert_eq!(encoded, Some(&Encoded { bytes: "oneone".into(), count: 2 }));
        assert_eq!(delivery.encoded(Format(2), |_| None), None);
    }

    #[test]
    fn what_is_kept_is_encoded_once_for_all_deliveries() {
        let kept = [ErrorCode::Other, ErrorCode::BinaryFrame]
            .map(|code| Kept::new(Event::Refused(Refusal::new(code))));
        let mut calls = 0;
        for (events, expected) in [(&kept[..1], "one"), (&kept, "oneone"), (&kept[1..], "one")] {
            let delivery = Delivery::of_kept(events);
            assert!(delivery.events().eq(events.iter().map(Kept::event)));
            let encoded = delivery.encoded(Format(1), |_| {
                calls += 1;
                Some("one".into())
            });
            assert_eq!(encoded, Some(&Encoded { bytes: expected.into(), count: events.len() }));
        }
        assert_eq!(calls, 2);
    }
}
