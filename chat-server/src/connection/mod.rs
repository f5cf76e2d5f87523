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
mod source;
mod watch;

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use chat_core::Session;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

pub(crate) use client::Client;
pub(crate) use end::End;
pub(crate) use watch::Watch;

use crate::audit;
use crate::gateway::{Admitted, Held, Shared};
use crate::listener::give_up_after;
use conversation::Conversation;
use end::Farewell;
use inbox::Inbox;
use outbox::{Outbox, Wire};
use source::Source;

/// Bytes that are read and thrown away at once.
const SCRAP_BYTES: usize = 1024;

/// How long a connection that has been closed from here may take to go.
const HANG_UP_WITHIN: Duration = Duration::from_secs(3);

/// Serves a connection as soon as it is upgraded, in a task of its own, for as long as its identity lasts.
///
/// There are many of these tasks, and nearly all of them wait for the client to say something. What is not needed then is
/// apart, in a box.
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    upgrade: OnUpgrade,
    session: Session,
    client: Arc<Client>,
    admission: Admitted,
) {
    let gateway = Arc::clone(shared);
    watch::keep(shared);
    let Admitted { held, expires_at } = admission;
    let stay = Box::new(Stay { session, _held: held });
    let opening = Box::pin(open(Arc::clone(shared), upgrade, Arc::clone(&client), expires_at));
    shared.connections.spawn(serve(gateway, opening, stay, client));
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

/// What is given back when a client has left.
#[derive(Debug)]
struct Stay {
    session: Session,
    _held: Held,
}

/// What serves a connection until it has ended.
#[expect(clippy::manual_async_fn, reason = "an async function keeps its arguments twice")]
fn serve(
    gateway: Arc<Shared>,
    opening: Pin<Box<impl Future<Output = Option<Opened>> + Send>>,
    stay: Box<Stay>,
    client: Arc<Client>,
) -> impl Future<Output = ()> + Send {
    async move {
        let Some(Opened { mut inbox, expires_at }) = opening.await else { return };
        let _counted = gateway.config.metrics.connect(&client);
        let _watched = gateway.watch.add(&client, expires_at);
        if gateway.stopping.is_cancelled() {
            // It came too late to be ended with the others.
            client.end(End::Stopping);
        }
        let end = {
            let mut conversation = Conversation::new(&gateway, &stay.session, &client);
            reader::run(&mut conversation, &mut inbox).await
        };
        audit::disconnected(&stay.session, client.peer(), end);
        gateway.config.metrics.ended(end);
        drop(stay);
        Box::pin(leave(inbox.reader(), client.outbox())).await;
    }
}

/// A connection that is upgraded.
#[derive(Debug)]
struct Opened {
    inbox: Inbox<Source>,
    expires_at: Option<Instant>,
}

/// Waits until a connection is upgraded; from then on the client can be written to.
async fn open(
    gateway: Arc<Shared>,
    upgrade: OnUpgrade,
    client: Arc<Client>,
    expires_at: Option<Instant>,
) -> Option<Opened> {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a handshake came to nothing");
            return None;
        }
    };
    let max_frame_bytes = gateway.config.max_frame_bytes;
    let inbox = match upgraded.downcast::<TokioIo<TcpStream>>() {
        // A plain socket: whoever has something for the client writes to it.
        Ok(Parts { io, read_buf, .. }) => {
            let socket = io.into_inner();
            // From here on, what a client leaves unread is counted, and its pongs are waited for.
            if let Err(error) = give_up_after(&socket, None) {
                tracing::debug!(%error, "a socket keeps the bound of a request");
            }
            let (read, write) = socket.into_split();
            client.outbox().write_to(Wire::Socket(write));
            Inbox::new(Source::Socket(read), &read_buf, max_frame_bytes)
        }
        Err(upgraded) => {
            let (read, write) = tokio::io::split(TokioIo::new(upgraded));
            client.outbox().write_to(Wire::Stream(Box::pin(write)));
            Inbox::new(Source::Stream(Box::pin(read)), &[], max_frame_bytes)
        }
    };
    Some(Opened { inbox, expires_at })
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

#[cfg(test)]
mod tests {
    use std::future::Pending;

    use super::*;

    /// How large the future is that this makes.
    fn size_of_future<G, O, S, C, F>(_: impl Fn(G, O, S, C) -> F, _: impl Fn(O)) -> usize {
        size_of::<F>()
    }

    #[test]
    fn what_serves_a_connection_is_small() {
        let size = size_of_future(serve, |_: Pin<Box<Pending<Option<Opened>>>>| {});
        // With what the runtime and the tracker of tasks add, it is 384 bytes: a task takes a multiple of 128.
        assert!(size <= 280, "{size}");
    }
}
