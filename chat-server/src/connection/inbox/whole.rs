//! A frame that has come in as a whole, and nothing else with it.

use std::io::Cursor;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The message, where these bytes are exactly one masked frame of UTF-8 text, or one pong. What is anything else, and be it
/// only in a detail, is for tungstenite to judge.
pub(super) fn message(bytes: &[u8], max_frame_bytes: usize) -> Option<Message> {
    let mut cursor = Cursor::new(bytes);
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    let payload = bytes.get(usize::try_from(cursor.position()).ok()?..)?;
    let is_plain = header.is_final && !(header.rsv1 || header.rsv2 || header.rsv3);
    let is_whole = usize::try_from(length) == Ok(payload.len()) && payload.len() <= max_frame_bytes;
    if !is_plain || !is_whole {
        return None;
    }
    let payload = unmasked(payload, header.mask?);
    match header.opcode {
        OpCode::Data(Data::Text) => Some(Message::Text(String::from_utf8(payload).ok()?.into())),
        OpCode::Control(Control::Pong) if payload.len() <= MAX_CONTROL_BYTES => {
            Some(Message::Pong(Bytes::from(payload)))
        }
        _ => None,
    }
}

/// Most bytes of a control frame (RFC 6455, section 5.5).
const MAX_CONTROL_BYTES: usize = 125;

fn unmasked(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
    bytes
}
