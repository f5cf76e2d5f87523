//! What there is to say before connecting.

use std::future::IntoFuture;
use std::time::Duration;

use chat_protocol::{Dialect, Limits, Username};
use futures::future::BoxFuture;

use crate::address::Address;
use crate::client::Client;
use crate::credentials::Credentials;
use crate::door::Door;
use crate::error::{ClientError, ErrorKind};
use crate::reconnect::{Reconnect, ReconnectingClient};
use crate::sender::Shared;
use crate::since::Since;
use crate::voice::Voice;

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
    credentials: Credentials,
    since: Since,
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
            credentials: Credentials::default(),
            since: Since::default(),
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

    /// Comes with a token, as `Authorization: Bearer`. It does not show in logs of URLs.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.credentials.token = Some(token.into());
        self
    }

    /// Comes with cookies, such as `sessionid=…`: the value of the header `Cookie`.
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.credentials.cookie = Some(cookie.into());
        self
    }

    /// Asks first for what was posted after this, as ordinary messages. Default: hears what is posted from now on.
    ///
    /// Of very many rooms not all fit into a URL: in several hundred whose last message is the newest, one goes on.
    pub fn since(mut self, since: Since) -> Self {
        self.since = since;
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

    /// A client that stays: whenever the connection is lost, it comes back, goes on where it was, and sends what was not
    /// confirmed. It connects when it is polled.
    ///
    /// # Errors
    ///
    /// Where the URL is no `ws://` URL, or the token or the cookie cannot stand in a header.
    pub fn reconnect(self, how: Reconnect) -> Result<ReconnectingClient, ClientError> {
        let since = self.since.clone();
        let (door, voice) = self.prepare()?;
        Ok(ReconnectingClient::new(door, voice, since, how))
    }

    async fn connect(self) -> Result<Client, ClientError> {
        let since = self.since.clone();
        let (door, voice) = self.prepare()?;
        let connection = door.open(&since).await?;
        Ok(Client::new(Shared { connection, voice }))
    }

    fn prepare(self) -> Result<(Door, Voice), ErrorKind> {
        let Self { url, dialect, user, credentials, since: _, limits, max_message_bytes, timeout } = self;
        let address = Address::new(&url, dialect, user.as_ref())?;
        let room = address.room.clone();
        let headers = credentials.headers()?;
        let door = Door { address, subprotocol: dialect.subprotocol(), headers, max_message_bytes, timeout };
        Ok((door, Voice { dialect, limits, room }))
    }
}

impl IntoFuture for Connect {
    type Output = Result<Client, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}
