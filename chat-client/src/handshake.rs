//! The opening handshake of RFC 6455, as a client.
//!
//! The one of the WebSocket library insists on a subprotocol where it asked for one. Servers that speak one dialect
//! only, such as the documents', pick none, which the RFC allows. The rest of the work is the library's.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, IntoClientRequest};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::{Response, generate_request};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode, Uri, header};

/// Longest head of an answer that is read. Servers send a few hundred bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Asks for a WebSocket, and gives what the server sent beyond its answer: the beginning of the first frames.
pub(crate) async fn shake_hands<S>(
    stream: &mut S,
    uri: Uri,
    subprotocol: &str,
    headers: HeaderMap,
) -> Result<Vec<u8>, WsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = ClientRequestBuilder::new(uri).with_sub_protocol(subprotocol).into_client_request()?;
    request.headers_mut().extend(headers);
    let (request, key) = generate_request(request)?;
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut received = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            // A server that goes in the middle of its answer may come back.
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some((length, response)) = parse(&received)? {
            verify(response, &derive_accept_key(key.as_bytes()), subprotocol)?;
            return Ok(received.split_off(length));
        }
        if received.len() > MAX_HEAD_BYTES {
            let (size, max_size) = (received.len(), MAX_HEAD_BYTES);
            return Err(CapacityError::MessageTooLong { size, max_size }.into());
        }
    }
}

/// Reads the head of an answer, once it is whole. What lies before a server that is away may say so in HTTP/1.0, which the
/// library does not read.
fn parse(received: &[u8]) -> Result<Option<(usize, Response)>, WsError> {
    let Some(rest) = received.strip_prefix(b"HTTP/1.0") else { return Response::try_parse(received) };
    let Some(parsed) = Response::try_parse(&[b"HTTP/1.1", rest].concat())? else { return Ok(None) };
    let (_, response) = &parsed;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ProtocolError::WrongHttpVersion.into());
    }
    Ok(Some(parsed))
}

fn verify(response: Response, accept_key: &str, subprotocol: &str) -> Result<(), WsError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(WsError::Http(response.into()));
    }
    let headers = response.headers();
    if !has_token(headers, &header::UPGRADE, "websocket") {
        return Err(ProtocolError::MissingUpgradeWebSocketHeader.into());
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(ProtocolError::MissingConnectionUpgradeHeader.into());
    }
    if headers.get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|found| found != accept_key) {
        return Err(ProtocolError::SecWebSocketAcceptKeyMismatch.into());
    }
    if headers.get(header::SEC_WEBSOCKET_PROTOCOL).is_some_and(|found| found != subprotocol) {
        return Err(ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::InvalidSubProtocol).into());
    }
    Ok(())
}

/// Whether a header that holds a list of words has this one, in any case.
fn has_token(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
}
