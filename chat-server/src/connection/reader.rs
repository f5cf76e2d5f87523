//! Takes frames from the network to the session, one after another.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use chat_core::Session;
use chat_protocol::ErrorCode;
use tokio::io::AsyncRead;
use tokio_tungstenite::tungstenite::Message;

use super::client::Client;
use super::conversation::Conversation;
use super::end::End;
use super::inbox::Inbox;
use super::outbox::Outbox;
use super::timer::{Due, Timer};
use crate::gateway::{Held, Shared};

/// Reads until the connection ends, and tells how it did.
pub(super) async fn run<R: AsyncRead + Unpin>(
    gateway: &Shared,
    inbox: &mut Inbox<R>,
    session: &Session,
    client: &Client,
    admission: &Held,
) -> End {
    let mut stopping = pin!(gateway.stopping.cancelled());
    let mut revoked = pin!(admission.revoked());
    let mut timer = Timer::new(&gateway.config, gateway.first_beat, admission.expires_at());
    let mut conversation = Conversation::new(gateway, session, client);
    let outbox = client.outbox();
    loop {
        let message = tokio::select! {
            biased;
            message = poll_fn(|cx| poll_message(cx, &mut conversation, inbox, outbox)) => message,
            () = &mut revoked => return End::SignedOut,
            () = &mut stopping => {
                outbox.beside(Box::pin(conversation.all_confirmed())).await;
                return End::Stopping;
            }
            due = timer.due() => match due {
                Due::Ping => {
                    client.ping();
                    continue;
                }
                Due::Mute => return End::Mute,
                Due::Expired => return End::SignedOut,
            }
        };
        timer.heard();
        let message = match message {
            Ok(message) => message,
            Err(end) => return end,
        };
        gateway.config.metrics.received(message.len());
        match message {
            Message::Text(text) => {
                // Apart, as below: who waits does not hold the room that it takes.
                outbox.beside(Box::pin(conversation.take(&text))).await;
            }
            Message::Binary(_) => {
                outbox.beside(Box::pin(conversation.refuse(ErrorCode::BinaryFrame.into()))).await;
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Close(_) => return End::Closed,
        }
    }
}

/// The next message, or how the connection ends.
fn poll_message<R: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    conversation: &mut Conversation<'_>,
    inbox: &mut Inbox<R>,
    outbox: &Outbox,
) -> Poll<Result<Message, End>> {
    conversation.go_on(cx);
    // First, so that a client that never ceases to talk ends, too.
    if let Poll::Ready(end) = outbox.poll_end(cx) {
        return Poll::Ready(Err(end));
    }
    if conversation.is_full() {
        return Poll::Pending;
    }
    inbox.poll_next(cx, outbox).map_err(|error| End::of(&error))
}
