//! Takes frames from the network to the session, one after another.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::io::AsyncRead;
use tokio::task::coop;
use tokio_tungstenite::tungstenite::Message;

use super::conversation::Conversation;
use super::end::End;
use super::inbox::Inbox;

/// Reads until the connection ends, and tells how it did.
pub(super) async fn run<R: AsyncRead + Unpin>(
    conversation: &mut Conversation<'_>,
    inbox: &mut Inbox<R>,
) -> End {
    let outbox = conversation.client().outbox();
    let end = loop {
        let read = poll_fn(|cx| poll_message(cx, conversation, inbox)).await;
        // Apart, as below, and with the message in it: who waits does not hold the room that it takes.
        match read.map(|message| Box::pin(conversation.hear(message))) {
            Ok(work) => outbox.beside(work).await,
            Err(end) => break end,
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
) -> Poll<Result<Message, End>> {
    let outbox = conversation.client().outbox();
    // First, so that a client that never ceases to talk ends, too.
    let end = outbox.poll_end(cx);
    let must_end = matches!(end, Poll::Ready(end) if end != End::Stopping);
    let mut poll_inbox = |cx: &mut Context<'_>, conversation: &Conversation<'_>| {
        if must_end || conversation.is_full() { Poll::Pending } else { inbox.poll_next(cx, outbox) }
    };
    let was_full = conversation.is_full();
    let mut message = poll_inbox(cx, conversation);
    if message.is_pending() {
        go_on(cx, conversation);
        if was_full {
            // It may not be any more.
            message = poll_inbox(cx, conversation);
        }
    }
    match message {
        // What a client has said before the server stops is done, also what was not read yet, as too much is under way.
        Poll::Pending if conversation.is_full() && !must_end => Poll::Pending,
        Poll::Pending => end.map(Err),
        Poll::Ready(Ok(message)) => {
            conversation.note(&message);
            Poll::Ready(if message.is_close() { Err(End::Closed) } else { Ok(message) })
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(End::of(&error))),
    }
}

/// Goes on with what was handed in before, also where reading has used up what tokio lets a task do at a time: a client that
/// never ceases to send would else keep it from being stored, and others' messages with it.
fn go_on(cx: &mut Context<'_>, conversation: &mut Conversation<'_>) {
    let going_on = coop::unconstrained(poll_fn(|cx| {
        conversation.go_on(cx);
        Poll::Ready(())
    }));
    _ = pin!(going_on).poll(cx);
}
