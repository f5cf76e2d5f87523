//! Takes frames from the network to the session, one after another.

use std::future::poll_fn;
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
use crate::gateway::Shared;

/// Reads until the connection ends, and tells how it did.
pub(super) async fn run<R: AsyncRead + Unpin>(
    gateway: &Shared,
    inbox: &mut Inbox<R>,
    session: &Session,
    client: &Client,
) -> End {
    let mut conversation = Conversation::new(gateway, session, client);
    let outbox = client.outbox();
    let end = loop {
        let message = match poll_fn(|cx| poll_message(cx, &mut conversation, inbox, outbox)).await {
            Ok(message) => message,
            Err(end) => break end,
        };
        client.hear(gateway.watch.now());
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
            Message::Close(_) => break End::Closed,
        }
    };
    // What a client has said before the server stops, it is told about. No other end waits for storage.
    if end != End::Stopping {
        outbox.say_goodbye(end);
    }
    // It is stored all the same: who leaves at once has written, too.
    outbox.beside(Box::pin(conversation.all_confirmed())).await;
    outbox.say_goodbye(end);
    end
}

/// The next message, or how the connection ends.
///
/// As long as there is one, what was handed in before is not looked after, until the conversation is full: messages that come
/// in together are stored together.
fn poll_message<R: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    conversation: &mut Conversation<'_>,
    inbox: &mut Inbox<R>,
    outbox: &Outbox,
) -> Poll<Result<Message, End>> {
    // First, so that a client that never ceases to talk ends, too.
    let end = outbox.poll_end(cx);
    let must_end = matches!(end, Poll::Ready(end) if end != End::Stopping);
    let mut poll_inbox = |cx: &mut Context<'_>, conversation: &Conversation<'_>| {
        if must_end || conversation.is_full() { Poll::Pending } else { inbox.poll_next(cx, outbox) }
    };
    let mut message = poll_inbox(cx, conversation);
    if message.is_pending() {
        conversation.go_on(cx);
        // It may not be full any more.
        message = poll_inbox(cx, conversation);
    }
    match message {
        // What a client has said before the server stops is done, also what was not read yet, as too much is under way.
        Poll::Pending if conversation.is_full() && !must_end => Poll::Pending,
        Poll::Pending => end.map(Err),
        Poll::Ready(message) => Poll::Ready(message.map_err(|error| End::of(&error))),
    }
}
