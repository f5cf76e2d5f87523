//! The bytes of one message over Redis: the version of what follows, the node that sent it, and what it says.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use chat_core::Content;
use thiserror::Error;

use super::wire::Wire;

/// What the bytes mean. A node that is told something in another version knows that it has missed it.
pub(super) const VERSION: u8 = 1;

/// Most bytes of a payload; what would be longer counts as lost.
const MAX_BYTES: usize = 1 << 20;

/// Tells the nodes apart: drawn by lot by each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId([u8; 8]);

impl NodeId {
    pub(super) fn by_lot() -> Self {
        // A hash under keys of chance, which the system has given.
        Self(RandomState::new().hash_one(()).to_le_bytes())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_le_bytes(self.0))
    }
}

/// Bytes that are no payload of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("another node sends what cannot be read")]
pub(super) struct Unreadable;

/// What a node has sent.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "each is taken apart as soon as it is made")]
pub(super) enum Payload {
    /// It has come from this node itself.
    Own,
    /// Another one says this.
    Said(Content),
    /// Another one has lost something.
    Lost,
}

/// The payload that tells others something; `None` for what they are not told, or what is too long.
pub(super) fn encode(node: NodeId, content: &Content) -> Option<Vec<u8>> {
    write(node, &Wire::new(content)?).filter(|bytes| bytes.len() <= MAX_BYTES)
}

/// The payload that tells others that something was lost.
pub(super) fn encode_lost(node: NodeId) -> Option<Vec<u8>> {
    write(node, &Wire::Lost)
}

fn write(node: NodeId, wire: &Wire<'_>) -> Option<Vec<u8>> {
    let mut bytes = vec![VERSION];
    bytes.extend(node.0);
    postcard::to_extend(wire, bytes).ok()
}

/// What a payload says. That of `node` itself is not read.
pub(super) fn decode(node: NodeId, bytes: &[u8]) -> Result<Payload, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable);
    }
    let (&version, rest) = bytes.split_first().ok_or(Unreadable)?;
    let (sender, said) = rest.split_first_chunk().ok_or(Unreadable)?;
    if NodeId(*sender) == node {
        return Ok(Payload::Own);
    }
    if version != VERSION {
        return Err(Unreadable);
    }
    let wire: Wire<'_> = postcard::from_bytes(said).map_err(|_| Unreadable)?;
    Ok(wire.read()?.map_or(Payload::Lost, Payload::Said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::UserId;
    use proptest::prelude::*;

    const HERE: NodeId = NodeId([1; 8]);
    const THERE: NodeId = NodeId([2; 8]);

    fn content() -> Content {
        Content::Removed(UserId::new(5).unwrap())
    }

    #[test]
    fn what_others_say_is_read_and_what_one_says_oneself_is_not() {
        let bytes = encode(HERE, &content()).unwrap();
        assert_eq!(decode(THERE, &bytes), Ok(Payload::Said(content())));
        assert_eq!(decode(HERE, &bytes), Ok(Payload::Own));
        assert_eq!(decode(THERE, &encode_lost(HERE).unwrap()), Ok(Payload::Lost));
    }

    #[test]
    fn other_versions_are_not_guessed_at() {
        let mut bytes = encode(HERE, &content()).unwrap();
        bytes[0] += 1;
        assert_eq!(decode(THERE, &bytes), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail_otherwise(said in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = vec![VERSION];
            bytes.extend(HERE.0);
            bytes.extend(said);
            // Whatever comes of it, it comes.
            let _ = decode(THERE, &bytes);
        }
    }
}
