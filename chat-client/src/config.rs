//! What there is to say before connecting.

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use chat_protocol::{Dialect, Limits, Username};
use futures::future::BoxFuture;

use crate::address::Address;
use crate::client::Client;
use crate::connection::Connection;
use crate::error::{ClientError, ErrorKind};
use crate::sender::Shared;

/// Fifty messages of full length, in JSON that writes each character as `\u` escapes, take half of this.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to be: [`Client::connect`] makes one, `.await` connects.
///
/// # Errors
///
/// Awaiting it fails where the URL is no `ws://` URL, the server cannot be reached in time, or it refuses
/// ([`ClientError::is_refused`], with its [`status`](ClientError::status)).
#[derive(Debug, Clone)]
#[must_use = "this connects when it is awaited"]
pub struct Connect {
    url: String,
    dialect: Dialect,
    user: Option<Username>,
    limits: Limits,
    max_message_bytes: usize,
    timeout: Duration,
}

impl Connect {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            dialect: Dialect::Typed,
            user: None,
            limits: Limits::default(),
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Speaks this dialect. Default: [`Dialect::Typed`].
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Comes as a guest of this name, which goes into the query of the URL. A server looks at it in guest mode only.
    pub fn user(mut self, name: Username) -> Self {
        self.user = Some(name);
        self
    }

    /// Holds texts to these limits before they are sent. Default: those of most servers.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Takes messages of at most this many bytes from the server; a longer one ends the connection, with the code
    /// 1009. Default: 4 MiB.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Gives the server this long to accept the connection. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn connect(self) -> Result<Client, ClientError> {
        let mut address = Address::new(&self.url, self.dialect, self.user.as_ref())?;
        let room = address.room.take();
        let subprotocol = self.dialect.subprotocol();
        let opening = Connection::open(address, &subprotocol, self.max_message_bytes);
        let connection = tokio::time::timeout(self.timeout, opening)
            .await
            .map_err(|_| ErrorKind::Unreachable(io::ErrorKind::TimedOut.into()))??;
        Ok(Client::new(Shared { connection, dialect: self.dialect, limits: self.limits, room }))
    }
}

impl IntoFuture for Connect {
    type Output = Result<Client, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}
