//! Takes frames from the network to the session, one after another.

use std::pin::pin;

use chat_core::{Delivery, Session, Transport};
use chat_protocol::{ClientId, Command, Dialect, ErrorCode, Event, Refusal};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::client::{self, Client};
use super::end::End;
use crate::audit;
use crate::gateway::{Held, Shared};

/// Reads until the connection ends, and tells how it did.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    gateway: &Shared,
    socket: &mut WebSocketStream<S>,
    session: &Session,
    client: &Client,
    admission: &Held,
) -> End {
    let mut expiry = pin!(admission.expired());
    let mut last_heard = Instant::now();
    let every = gateway.config.ping_every;
    let mut pings = interval_at(last_heard + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            end = client.outbox().ended() => return end,
            () = admission.revoked() => return End::SignedOut,
            () = &mut expiry => return End::SignedOut,
            () = gateway.stopping.cancelled() => return End::Stopping,
            now = pings.tick() => {
                if now.duration_since(last_heard) >= gateway.config.mute_for {
                    return End::Mute;
                }
                if let Some(ping) = client::ping() {
                    client.outbox().push(ping);
                    client.flush();
                }
                continue;
            }
        };
        last_heard = Instant::now();
        let refusal = match message {
            None => return End::Closed,
            Some(Ok(Message::Close(_))) => {
                // tungstenite has its answer ready, and gives it when it is next asked for anything.
                drop(socket.flush().await);
                return End::Closed;
            }
            Some(Err(error)) => return End::of(&error),
            Some(Ok(Message::Text(text))) => answer(gateway, session, client, &text).await.err(),
            Some(Ok(Message::Binary(_))) => Some(ErrorCode::BinaryFrame.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
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
    session.handle(command).await.map_err(|error| Refusal { client_id, ..Refusal::from(&error) })?;
    if is_send {
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
