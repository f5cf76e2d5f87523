//! One WebSocket connection, from its upgrade to its end.
//!
//! Frames come in through the [`Inbox`] and go on as commands; events go out through the [`Outbox`] of the connection,
//! already framed. tungstenite's own answers (pongs, closes) take the same way out, so that frames never interleave. One task
//! does all that there is to do for a connection, and it holds next to nothing while there is nothing.

mod client;
mod conversation;
mod end;
mod inbox;
mod outbox;
mod reader;
mod watch;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chat_core::Session;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use client::Client;
pub(crate) use end::End;
pub(crate) use watch::Watch;

use crate::audit;
use crate::gateway::{Held, Shared};
use crate::listener::give_up_after;
use end::Farewell;
use inbox::Inbox;
use outbox::{Outbox, Wire};

/// Bytes that are read and thrown away at once.
const SCRAP_BYTES: usize = 1024;

/// How long a connection that has been closed from here may take to go.
const HANG_UP_WITHIN: Duration = Duration::from_secs(3);

/// Serves a connection as soon as it is upgraded, in a task of its own.
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    upgrade: OnUpgrade,
    session: Session,
    client: Arc<Client>,
    admission: Held,
) {
    let gateway = Arc::clone(shared);
    watch::keep(shared);
    // A future has a place of its own for everything that is handed on in it, at each step of the way.
    let session = Box::new(session);
    shared.connections.spawn(async move { serve(&gateway, upgrade, session, &client, &admission).await });
}

/// Closes a connection as soon as it is upgraded, to tell the front end why it was refused.
pub(crate) fn refuse(shared: &Arc<Shared>, upgrade: OnUpgrade, end: End) {
    shared.connections.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut stream = TokioIo::new(upgraded);
        if let Farewell::Close(frame) = end.farewell() {
            let goodbye = async {
                stream.write_all(&frame).await?;
                stream.shutdown().await?;
                hang_up(&mut stream).await
            };
            if !matches!(timeout(HANG_UP_WITHIN, goodbye).await, Ok(Ok(()))) {
                tracing::debug!("a refused client does not hang up");
            }
        }
    });
}

async fn serve(
    gateway: &Shared,
    upgrade: OnUpgrade,
    session: Box<Session>,
    client: &Arc<Client>,
    admission: &Held,
) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a handshake came to nothing"),
    };
    let _counted = gateway.config.metrics.connect(client);
    let _watched = gateway.watch.add(client, admission.expires_at());
    if gateway.stopping.is_cancelled() {
        // It came too late to be ended with the others.
        client.end(End::Stopping);
    }
    let max_frame_bytes = gateway.config.max_frame_bytes;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        // A plain socket: whoever has something for the client writes to it.
        Ok(Parts { io, read_buf, .. }) => {
            let socket = io.into_inner();
            // From here on, what a client leaves unread is counted, and its pongs are waited for.
            if let Err(error) = give_up_after(&socket, None) {
                tracing::debug!(%error, "a socket keeps the bound of a request");
            }
            let (read, write) = socket.into_split();
            client.outbox().write_to(Wire::Socket(write));
            let inbox = Inbox::new(read, &read_buf, max_frame_bytes);
            // It is the buffer of all that was read for the handshake.
            drop(read_buf);
            talk(gateway, inbox, session, client).await;
        }
        Err(upgraded) => {
            let (read, write) = tokio::io::split(TokioIo::new(upgraded));
            client.outbox().write_to(Wire::Stream(Box::pin(write)));
            let inbox = Inbox::new(read, &[], max_frame_bytes);
            Box::pin(talk(gateway, inbox, session, client)).await;
        }
    }
}

/// Reads, and does what is asked for, until the connection ends.
async fn talk<R: AsyncRead + Unpin>(
    gateway: &Shared,
    mut inbox: Inbox<R>,
    session: Box<Session>,
    client: &Client,
) {
    let end = reader::run(gateway, &mut inbox, &session, client).await;
    audit::disconnected(&session, client.peer(), end);
    gateway.config.metrics.ended(end);
    drop(session);
    // Apart, so that those who stay do not hold the room that it takes.
    Box::pin(leave(inbox.reader(), client.outbox())).await;
}

/// Waits a little for the other side to hear the goodbye, where there was one.
///
/// What the client still sends is read and thrown away: to close a socket with unread bytes would reset it, and the
/// client might lose the close frame.
async fn leave(read: &mut (impl AsyncRead + Unpin), outbox: &Outbox) {
    if outbox.is_cut_off() {
        return;
    }
    let hang_up = pin!(timeout(HANG_UP_WITHIN, hang_up(read)));
    if outbox.beside(hang_up).await.is_err() {
        tracing::debug!("a client does not hang up");
    }
    outbox.cut_off();
}

/// Reads what is left, until the other side hangs up.
async fn hang_up(read: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut scrap = vec![0; SCRAP_BYTES];
    while read.read(&mut scrap).await? > 0 {}
    Ok(())
}
