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
//! # Coming back
//!
//! A [`ReconnectingClient`] stays while its connections come and go. It is a stream of [`Update`]s: events, as above, and
//! what becomes of the connection and of what was said.
//!
//! ```no_run
//! use chat_client::{Client, Event, Reconnect, Update, Username};
//! use futures::StreamExt;
//!
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::connect("ws://127.0.0.1:8000/ws/chat/testroom/")
//!     .user(Username::new("amy")?)
//!     .reconnect(Reconnect::default())?;
//! let mark = client.sender().send_text("hello").await?;
//!
//! while let Some(update) = client.next().await {
//!     match update? {
//!         Update::Event(Event::MessagePosted(posted)) => println!("{}", posted.message.text),
//!         Update::Confirmed(confirmed) if confirmed.client_id == mark => println!("(stored)"),
//!         Update::Disconnected(lost) => println!("(back in {:?}: {})", lost.retry_in, lost.error),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! * It comes back after a close with 1001, 1006 or 1011 to 1014, where it cannot connect, and after the statuses 408,
//!   429 and 5xx. Anything else is the end, and the last item of the stream.
//! * It goes on after the last message that it has heard (`?since=`), in `group` after that of each room. Messages that
//!   come twice are dropped. Where the server does not have that message any more, it says so: the event is a refusal
//!   with the code `cannot_resume`, and after it the newest messages come. A room in which it has heard nothing yet has
//!   no such place: what is said there while the client is away does not come, unless it began with
//!   [`Since::beginning`].
//! * What was sent is kept until the server has confirmed that it is stored, and sent again on each connection until
//!   then. It carries a mark (`client_id`), by which the server stores it once. That takes a server that gives marks back,
//!   and a client that is somebody: nobody can tell the sends of nameless guests apart.
//! * [`Since`] can be kept as text, and [given](Connect::since) to the client that comes after a restart of the program.
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
mod credentials;
mod door;
mod error;
mod handshake;
mod reconnect;
mod sender;
mod since;
mod voice;

pub use chat_protocol::{
    ClientId, ClientIdError, Command, Dialect, ErrorCode, Event, FetchHistory, History, IdError, Limits,
    Message, MessageId, MessagePosted, MessageText, NameError, Notification, NotificationId, Person,
    Presence, ReadMark, Refusal, RoomActivity, RoomId, RoomLabel, RoomName, RoomRef, SendMessage,
    SendNotification, Seq, SinceError, TextError, Timestamp, Typing, UserId, Username,
};
pub use client::Client;
pub use config::Connect;
pub use error::{ClientError, Closed};
pub use reconnect::{Confirmed, Disconnected, Reconnect, ReconnectingClient, ReconnectingSender, Update};
pub use sender::Sender;
pub use since::Since;
