//! Messages that were handed in.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use chat_protocol::{ClientId, Event, Message};

use super::Session;
use super::commit::Confirmation;
use crate::CommandError;
use crate::room::view;
use crate::storage::Room;

/// A message that was [handed in](Session::hand_in): ends when it is stored, and has been delivered to everybody on this node
/// and confirmed to its sender, or with the reason why it was not.
///
/// Dropped before, the message is most likely stored all the same; its sender is not told.
#[derive(Debug)]
pub struct Unconfirmed<'a> {
    session: &'a Session,
    room: Room,
    client_id: Option<ClientId>,
    confirmation: Confirmation,
}

impl<'a> Unconfirmed<'a> {
    pub(super) const fn new(
        session: &'a Session,
        room: Room,
        client_id: Option<ClientId>,
        confirmation: Confirmation,
    ) -> Self {
        Self { session, room, client_id, confirmation }
    }
}

impl Unconfirmed<'_> {
    /// Has the message stored, though this is not polled yet: for all but the first of several that are waited for one after
    /// the other. Else it may not be before this is polled, unless somebody else sends something.
    pub fn start(&mut self) {
        self.confirmation.start();
    }
}

impl Future for Unconfirmed<'_> {
    type Output = Result<(), CommandError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let stored = ready!(Pin::new(&mut self.confirmation).poll(cx))?;
        let accepted = Message { client_id: self.client_id.take(), ..view::new_message(&stored) };
        self.session.connection.deliver(&Event::MessageAccepted(accepted));
        self.session.stop_typing(&self.room);
        Poll::Ready(Ok(()))
    }
}
