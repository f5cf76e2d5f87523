//! What a client asks for, and what becomes of it.
//!
//! A client need not wait for a message to be confirmed before it sends the next one. Those that are not confirmed yet are
//! kept in order, up to a bound; whatever else it asks for is done when there are none.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use chat_core::{CommandError, Delivery, Session, Transport, Unconfirmed};
use chat_protocol::{ClientId, Command, Dialect, ErrorCode, Event, Refusal, SendMessage};
use tokio_tungstenite::tungstenite::Message;

use super::client::Client;
use crate::audit;
use crate::gateway::Shared;

/// Most messages of one client that are not confirmed yet.
const MOST_UNCONFIRMED: usize = 64;

/// A client and the session that does what it asks for.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    gateway: &'a Shared,
    session: &'a Session,
    client: &'a Client,
    /// What is not confirmed yet, oldest first.
    sends: VecDeque<Sending<'a>>,
}

/// A message that is not confirmed yet.
#[derive(Debug)]
struct Sending<'a> {
    unconfirmed: Unconfirmed<'a>,
    client_id: Option<ClientId>,
    begun: Instant,
    frame_bytes: usize,
}

impl<'a> Conversation<'a> {
    pub(super) const fn new(gateway: &'a Shared, session: &'a Session, client: &'a Client) -> Self {
        Self { gateway, session, client, sends: VecDeque::new() }
    }

    pub(super) const fn client(&self) -> &'a Client {
        self.client
    }

    /// Takes note of a sign of life.
    pub(super) fn note(&self, frame: &Message) {
        self.client.hear(self.gateway.watch.now());
        self.gateway.config.metrics.received(frame.len());
    }

    /// Whether the client must wait before it may say more.
    pub(super) fn is_full(&self) -> bool {
        let bytes: usize = self.sends.iter().map(|send| send.frame_bytes).sum();
        self.sends.len() >= MOST_UNCONFIRMED || bytes >= self.gateway.config.max_frame_bytes
    }

    /// Goes on with what is not confirmed yet.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_>) {
        let Self { gateway, session, client, sends } = self;
        while let Some(send) = sends.front_mut() {
            let Poll::Ready(outcome) = Pin::new(&mut send.unconfirmed).poll(cx) else {
                // They are told of in order, and need not be stored one after the other.
                return sends.iter_mut().skip(1).for_each(|send| send.unconfirmed.start());
            };
            match outcome {
                Ok(()) => {
                    gateway.config.metrics.confirmed(send.begun.elapsed());
                    audit::sent(session, client.peer());
                }
                Err(error) => refuse(client, refusal(&error, send.client_id.take())),
            }
            sends.pop_front();
        }
        // What a burst took is given back.
        *sends = VecDeque::new();
    }

    /// Does what a frame asks for; a message may not be confirmed yet after that.
    pub(super) async fn hear(&mut self, frame: Message) {
        let answered = match frame {
            Message::Text(text) => self.answer(&text).await,
            Message::Binary(_) => Err(ErrorCode::BinaryFrame.into()),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_) => Ok(()),
        };
        if let Err(refusal) = answered {
            // After what became of those before it, so that the client can tell which one cannot be used.
            self.all_confirmed().await;
            refuse(self.client, refusal);
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Refusal> {
        let (session, client) = (self.session, self.client);
        if client.is_listener() {
            return Err(ErrorCode::ListenOnly.into());
        }
        let dialect = match client.dialect() {
            Some(dialect) => dialect,
            // Apart, as what is not a message below: a message has nothing to carry for it.
            None => Box::pin(recognize(session, client, text)).await?,
        };
        let command = dialect
            .decode_command(text, &self.gateway.config.limits)
            .map_err(|error| Refusal { client_id: Dialect::client_id_in(text), ..Refusal::from(&error) })?;
        match command {
            Command::SendMessage(send) => self.send(send, text.len()).await,
            other => {
                self.all_confirmed().await;
                Box::pin(session.handle(other)).await.map_err(|error| refusal(&error, None))
            }
        }
    }

    async fn send(&mut self, send: SendMessage, frame_bytes: usize) -> Result<(), Refusal> {
        let (client_id, begun) = (send.client_id.clone(), Instant::now());
        let handing_in = pin!(self.session.hand_in(send));
        let handed_in = self.beside(handing_in).await;
        let unconfirmed = handed_in.map_err(|error| refusal(&error, client_id.clone()))?;
        // Most clients wait for one before they send the next.
        self.sends.reserve_exact(usize::from(self.sends.is_empty()));
        self.sends.push_back(Sending { unconfirmed, client_id, begun, frame_bytes });
        Ok(())
    }

    /// Does something; where it must wait, goes on with what is not confirmed yet, which may be what it waits for.
    async fn beside<F: Future>(&mut self, mut work: Pin<&mut F>) -> F::Output {
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_pending() {
                self.go_on(cx);
            }
            done
        })
        .await
    }

    /// Waits until nothing is unconfirmed.
    pub(super) async fn all_confirmed(&mut self) {
        poll_fn(|cx| {
            self.go_on(cx);
            if self.sends.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
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

fn refusal(error: &CommandError, client_id: Option<ClientId>) -> Refusal {
    Refusal { client_id, ..Refusal::from(error) }
}

fn refuse(client: &Client, refusal: Refusal) {
    client.deliver_last(&Delivery::new(&Event::Refused(refusal)));
}
