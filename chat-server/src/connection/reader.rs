//! Takes frames from the network to the session, one after another.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Instant;

use chat_core::{Delivery, Session, Transport};
use chat_protocol::{ClientId, Command, Dialect, ErrorCode, Event, Refusal};
use tokio::io::AsyncRead;
use tokio_tungstenite::tungstenite::Message;

use super::client::Client;
use super::end::End;
use super::inbox::Inbox;
use super::timer::{Due, Timer};
use crate::audit;
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
    let mut timer = Timer::new(&gateway.config, admission.expires_at());
    let outbox = client.outbox();
    loop {
        let message = tokio::select! {
            biased;
            // First, so that a client that never ceases to talk ends, too.
            end = poll_fn(|cx| outbox.poll_end(cx)) => return end,
            message = poll_fn(|cx| inbox.poll_next(cx, outbox)) => message,
            () = &mut revoked => return End::SignedOut,
            () = &mut stopping => return End::Stopping,
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
        if let Ok(message) = &message {
            gateway.config.metrics.received(message.len());
        }
        let refusal = match message {
            Ok(Message::Text(text)) => {
                // Apart, so that who waits does not hold the room that it takes.
                let answering = Box::pin(answer(gateway, session, client, &text));
                outbox.beside(answering).await.err()
            }
            Ok(Message::Binary(_)) => Some(ErrorCode::BinaryFrame.into()),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => None,
            Ok(Message::Close(_)) => return End::Closed,
            Err(error) => return End::of(&error),
        };
        if let Some(refusal) = refusal {
            client.deliver(&Delivery::new(&Event::Refused(refusal)));
            client.flush();
        }
    }
}

/// Does what a frame asks for, or tells why not.
async fn answer(gateway: &Shared, session: &Session, client: &Client, text: &str) -> Result<(), Refusal> {
    if client.is_listener() {
        return Err(ErrorCode::ListenOnly.into());
    }
    let dialect = match client.dialect() {
        Some(dialect) => dialect,
        None => recognize(session, client, text).await?,
    };
    let command = dialect.decode_command(text, &gateway.config.limits).map_err(|error| {
        let client_id = Dialect::client_id_in(text);
        Refusal { client_id, ..Refusal::from(&error) }
    })?;
    let client_id = client_id_of(&command).cloned();
    let is_send = matches!(command, Command::SendMessage(_));
    let begun = Instant::now();
    session.handle(command).await.map_err(|error| Refusal { client_id, ..Refusal::from(&error) })?;
    if is_send {
        gateway.config.metrics.confirmed(begun.elapsed());
        audit::sent(session, client.peer());
    }
    Ok(())
}

/// Finds out which dialect a client speaks, and treats it so from now on.
async fn recognize(session: &Session, client: &Client, text: &str) -> Result<Dialect, Refusal> {
    let dialect = Dialect::recognize(text).map_err(|error| Refusal::from(&error))?;
    client.speak(dialect);
    if let Err(error) = session.adopt(dialect.behavior()).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a connection is not treated as its dialect asks"
        );
        return Err(ErrorCode::Unavailable.into());
    }
    Ok(dialect)
}

const fn client_id_of(command: &Command) -> Option<&ClientId> {
    match command {
        Command::SendMessage(send) => send.client_id.as_ref(),
        Command::FetchHistory(_)
        | Command::SetTyping { .. }
        | Command::MarkRead
        | Command::SendNotification(_) => None,
    }
}
