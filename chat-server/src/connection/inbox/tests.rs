//! However the bytes of a client come in, its messages are those that tungstenite alone finds.

use std::future::poll_fn;

use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame, FrameHeader};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::*;

const LIMIT: usize = 300;

/// A frame as a client may send it, right or wrong.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        Just("{\"message\":\"hello\"}".as_bytes().to_vec()),
        "[a-zа-я🍜]{0,60}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..20),
        Just(vec![b'a'; LIMIT]),
        Just(vec![b'a'; LIMIT + 1]),
    ];
    let opcode = prop_oneof![
        10 => Just(OpCode::Data(Data::Text)),
        2 => Just(OpCode::Data(Data::Continue)),
        1 => Just(OpCode::Data(Data::Binary)),
        2 => Just(OpCode::Control(Control::Ping)),
        2 => Just(OpCode::Control(Control::Pong)),
    ];
    let flags = (prop::bool::weighted(0.8), prop::bool::weighted(0.02), prop::bool::weighted(0.98));
    (payload, opcode, flags, any::<[u8; 4]>()).prop_map(
        |(payload, opcode, (is_final, rsv1, is_masked), mask)| {
            let mask = is_masked.then_some(mask);
            let header = FrameHeader { is_final, rsv1, rsv2: false, rsv3: false, opcode, mask };
            bytes_of(Frame::from_payload(header, payload.into()))
        },
    )
}

fn bytes_of(frame: Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

fn farewell() -> Vec<u8> {
    let mut frame = Frame::close(Some(CloseFrame { code: CloseCode::Normal, reason: "bye".into() }));
    frame.header_mut().mask = Some([1, 2, 3, 4]);
    bytes_of(frame)
}

/// What came of it: messages, and how it ended. After a goodbye nobody reads on.
type Outcome = (Vec<Message>, String);

const GOODBYE: &str = "goodbye";

/// Reads pieces of bytes, each as one read, through an inbox; what it said to the client, too.
async fn through_inbox(before: &[u8], pieces: &[Vec<u8>]) -> (Outcome, usize) {
    let (read, mut client) = duplex(1 << 20);
    let outbox = Outbox::new(usize::MAX);
    let mut inbox = Inbox::new(read, before, LIMIT);
    let mut messages = Vec::new();
    let mut pieces = pieces.iter();
    loop {
        let polled = poll_fn(|cx| Poll::Ready(inbox.poll_next(cx, &outbox))).await;
        match (polled, pieces.as_slice().is_empty()) {
            (Poll::Ready(Ok(Message::Close(_))), _) => {
                return ((messages, GOODBYE.into()), outbox.waiting_bytes());
            }
            (Poll::Ready(Ok(message)), _) => messages.push(message),
            (Poll::Ready(Err(error)), _) => return ((messages, error.to_string()), outbox.waiting_bytes()),
            (Poll::Pending, false) => {
                let piece = pieces.next().unwrap();
                client.write_all(piece).await.unwrap();
            }
            (Poll::Pending, true) => client.shutdown().await.unwrap(),
        }
    }
}

async fn through_tungstenite(bytes: &[u8]) -> Outcome {
    use futures::StreamExt;
    let (read, mut client) = duplex(1 << 20);
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut socket = WebSocketStream::from_raw_socket(read, Role::Server, Some(config)).await;
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    let mut messages = Vec::new();
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(_))) => return (messages, GOODBYE.into()),
            Some(Ok(message)) => messages.push(message),
            Some(Err(error)) => return (messages, error.to_string()),
            None => return (messages, Error::ConnectionClosed.to_string()),
        }
    }
}

/// Bytes in pieces, cut at these places.
fn cut(bytes: &[u8], places: Vec<usize>) -> Vec<Vec<u8>> {
    let within = places.into_iter().map(|place| place % (bytes.len() + 1));
    let mut places: Vec<usize> = within.chain([0, bytes.len()]).collect();
    places.sort_unstable();
    places.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).filter(|piece| !piece.is_empty()).collect()
}

proptest! {
    #[test]
    fn messages_are_those_that_tungstenite_finds(
        frames in proptest::collection::vec(frame(), 0..12),
        ends_well in any::<bool>(),
        places in proptest::collection::vec(any::<usize>(), 0..8),
        before in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut frames = frames;
            if ends_well {
                frames.push(farewell());
            }
            let bytes = frames.concat();
            let expected = through_tungstenite(&bytes).await;
            // A frame at a time, and cut anywhere; what has come with the handshake, and what has not.
            for mut pieces in [frames, cut(&bytes, places)] {
                let first = if before && !pieces.is_empty() { pieces.remove(0) } else { Vec::new() };
                let (outcome, _) = through_inbox(&first, &pieces).await;
                assert_eq!(outcome, expected);
            }
        });
    }
}

#[tokio::test]
async fn pings_and_goodbyes_are_answered() {
    let mut ping = Frame::ping("are you there?");
    ping.header_mut().mask = Some([9, 8, 7, 6]);
    let (_, answered) = through_inbox(&[], &[bytes_of(ping.clone()), farewell()]).await;
    let answers = bytes_of(Frame::pong("are you there?")).len() + farewell().len() - 4;
    assert_eq!(answered, answers);
}

#[tokio::test]
async fn nothing_is_held_between_messages() {
    let (read, mut client) = duplex(1 << 20);
    let outbox = Outbox::new(usize::MAX);
    let mut inbox = Inbox::new(read, &[], LIMIT);
    let mut text = Frame::message("hello", OpCode::Data(Data::Text), true);
    text.header_mut().mask = Some([9, 8, 7, 6]);
    let bytes = bytes_of(text).repeat(3);
    client.write_all(&bytes[..20]).await.unwrap();
    let first = poll_fn(|cx| inbox.poll_next(cx, &outbox)).await;
    assert!(first.is_ok() && inbox.framed.is_some(), "it is in the middle of the second");
    client.write_all(&bytes[20..]).await.unwrap();
    for _ in 0..2 {
        assert!(poll_fn(|cx| inbox.poll_next(cx, &outbox)).await.is_ok());
    }
    assert!(inbox.framed.is_none());
}
