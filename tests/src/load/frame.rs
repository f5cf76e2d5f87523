//! Frames of RFC 6455, as far as a client needs them that only speaks to servers it measures.

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text = 1,
    /// The end.
    Close = 8,
    /// The answer to a ping.
    Pong = 10,
}

/// In the second byte of a frame: that it is masked.
const MASKED: u8 = 0x80;

/// In the place of the length: that it follows, in two bytes.
const LONG: u8 = 126;

/// In the place of the length: that it follows, in eight bytes.
const LONGER: u8 = 127;

/// The bytes of a whole frame, masked with this key.
#[must_use]
pub(super) fn masked(kind: Kind, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | kind as u8);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..126), _) => frame.push(MASKED | length),
        (_, Ok(length)) => {
            frame.push(MASKED | LONG);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | LONGER);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The beginning of a frame of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its opcode.
    pub(super) opcode: u8,
    /// How long the head is itself.
    pub(super) length: usize,
    /// How long what follows is.
    pub(super) payload: usize,
}

impl Head {
    /// Reads it, once it is there.
    #[must_use]
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (length, payload) = match second & !MASKED {
            LONG => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
            LONGER => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
            short => (2, usize::from(short)),
        };
        Some(Self { opcode: first & 0x0F, length, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_lengths_are_written_and_read() {
        for (payload, length) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = masked(Kind::Text, &vec![b'x'; payload], [1, 2, 3, 4]);
            // A server's frame has no mask, but else the same head.
            assert_eq!(Head::read(&frame), Some(Head { opcode: 1, length, payload }));
            assert_eq!(frame.len(), length + 4 + payload);
        }
    }
}
