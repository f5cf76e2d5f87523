//! Where one message ends and the next begins.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// Follows the frames of a client, without a look at what is in them.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    /// What there is of a header.
    header: Vec<u8>,
    /// How much is missing of the payload.
    payload_left: u64,
    /// Whether the frame is the last of its message.
    is_last: bool,
    /// Whether the first frames of a message are there, and others missing.
    is_in_fragments: bool,
    /// Messages that are there as a whole, control frames among them.
    messages: usize,
}

impl Boundary {
    /// Follows so many bytes more.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload_left > 0 {
                let skipped = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
                self.payload_left -= skipped as u64;
                bytes = bytes.get(skipped..).unwrap_or_default();
            } else {
                self.header.push(*first);
                bytes = rest;
                let Ok(Some((header, length))) = FrameHeader::parse(&mut Cursor::new(&self.header)) else {
                    continue;
                };
                self.header.clear();
                self.payload_left = length;
                self.begin(&header);
            }
            if self.payload_left == 0 && self.header.is_empty() && self.is_last {
                self.messages += 1;
                self.is_last = false;
            }
        }
    }

    fn begin(&mut self, header: &FrameHeader) {
        self.is_last = match header.opcode {
            OpCode::Control(_) => true,
            OpCode::Data(_) => {
                self.is_in_fragments = !header.is_final;
                header.is_final
            }
        };
    }

    /// Notes that a message was taken.
    pub(super) const fn take(&mut self) {
        self.messages = self.messages.saturating_sub(1);
    }

    /// Whether every message was taken, and no other has begun.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.messages == 0 && self.payload_left == 0 && self.header.is_empty() && !self.is_in_fragments
    }
}
