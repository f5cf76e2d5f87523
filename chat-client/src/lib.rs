//! A client for chat servers that speak any of the five dialects.
//!
//! A [`Client`] is one WebSocket connection. It is a [`Stream`](futures::Stream) of [`Event`]s, and its [`Sender`]s
//! say things to the server. What is said and heard is the same for every [`Dialect`]; the client translates.
//!
//! ```no_run
//! use chat_client::{Client, Dialect, Event, Username};
//! use futures::StreamExt;
//!
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::connect("ws://127.0.0.1:8000/ws/chat/testroom/")
//!     .dialect(Dialect::Typed)
//!     .user(Username::new("amy")?)
//!     .await?;
//! client.sender().send_text("hello").await?;
//!
//! while let Some(event) = client.next().await {
//!     if let Event::MessagePosted(posted) = event? {
//!         println!("{}", posted.message.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The life of a connection
//!
//! * Connecting asks for the dialect with `Sec-WebSocket-Protocol: chat.<dialect>`. A server that picks no
//!   subprotocol is welcome too: those that know one dialect only do not look at it.
//! * The stream yields events until the connection ends. Its last item is then an error for which
//!   [`ClientError::is_closed`] holds, with the code and the reason that the server gave.
//! * Frames that cannot be read are skipped and counted, so that a newer server does not break an older client:
//!   [`Client::unreadable_frames`].
//! * [`Client::close`] says goodbye properly. Dropping the client drops the connection.
//!
//! # Who does the work
//!
//! There is no hidden task. Polling the stream reads, and answers the server's pings; awaiting a send writes. So the
//! stream must be polled for the connection to stay alive. A send never waits for the reader of the stream, only for
//! the server to take the bytes; a server that takes none until it has been read from needs both at once, for example
//! in two tasks.
//!
//! A Tokio runtime with I/O and time enabled must be there.

#![deny(missing_docs)]

mod address;
mod client;
mod config;
mod connection;
mod error;
mod handshake;
mod sender;

pub use chat_protocol::{
    Command, Dialect, Event, FetchHistory, Limits, MessageId, MessageText, RoomName, RoomRef, SendMessage,
    SendNotification, Username,
};
pub use client::Client;
pub use config::Connect;
pub use error::{ClientError, Closed};
pub use sender::Sender;
