//! The pieces of work.

use std::hint::black_box;
use std::sync::Arc;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{Arrival, ChatService, Delivery, Format, Identity, Session, Target, Transport};
use chat_protocol::{Behavior, Command, Dialect, EncodeContext, Endpoint, Limits, RoomName, Timestamp};
use tokio::runtime::{Builder, Runtime};

use super::samples::{CLIENT_FRAMES, PlainClientFrame, PlainServerFrame, events, posted};

/// A piece of work, ready to be done again and again.
pub struct Work {
    /// By which it is known in the record.
    pub name: String,
    /// How often to do it for its count.
    pub rounds: u32,
    /// Does it once.
    pub once: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").field("name", &self.name).finish_non_exhaustive()
    }
}

/// For what takes little.
const MANY: u32 = 500;

/// For what takes much.
const FEW: u32 = 10;

/// All of it.
#[must_use]
pub fn all() -> Vec<Work> {
    let mut all = Vec::new();
    frames(&mut all);
    plain_frames(&mut all);
    all.push(fan_out());
    all
}

fn work(name: String, once: impl FnMut() + 'static) -> Work {
    Work { name, rounds: MANY, once: Box::new(once) }
}

fn frames(all: &mut Vec<Work>) {
    for (dialect, name, frame) in CLIENT_FRAMES {
        let limits = Limits::default();
        all.push(work(format!("decode/{dialect}/{name}"), move || {
            drop(black_box(dialect.decode_command(black_box(frame), &limits)));
        }));
    }
    for (name, endpoint, event) in events() {
        let context = EncodeContext { endpoint, ..EncodeContext::default() };
        for &dialect in Dialect::ALL {
            // The endpoint is all one to the dialects that have no listener.
            let is_distinct = endpoint == Endpoint::Room || dialect == Dialect::Command;
            if is_distinct && dialect.encode_event(&event, &context).is_some() {
                let event = event.clone();
                let rounds = if name == "history_of_50" { FEW } else { MANY };
                let encode = move || drop(black_box(dialect.encode_event(black_box(&event), &context)));
                all.push(Work { rounds, ..work(format!("encode/{dialect}/{endpoint:?}/{name}"), encode) });
            }
        }
    }
}

/// The same for the chat frame of `typed`, by `serde_json` and a plain struct: what one would do without dialects.
fn plain_frames(all: &mut Vec<Work>) {
    for (dialect, name, frame) in CLIENT_FRAMES {
        if dialect == Dialect::Typed && name.starts_with("chat_message") {
            all.push(work(format!("decode/serde_json/{name}"), move || {
                let read = serde_json::from_str::<PlainClientFrame>(black_box(frame));
                drop(black_box(read.map(|frame| frame.message)));
            }));
        }
    }
    let frame = Dialect::Typed.encode_event(&posted(), &EncodeContext::default()).expect("it has a form");
    let plain: PlainServerFrame = serde_json::from_str(&frame).expect("it is this form");
    all.push(work("encode/serde_json/Room/message_posted".into(), move || {
        drop(black_box(serde_json::to_string(black_box(&plain))));
    }));
}

/// A client that lets the event be encoded, and drops what it gets.
#[derive(Debug)]
struct Sink;

impl Transport for Sink {
    fn deliver(&self, delivery: &Delivery<'_>) {
        let encoded = delivery.encoded(Format(0), |event| {
            Dialect::Plain.encode_event(event, &EncodeContext::default()).map(Into::into)
        });
        black_box(encoded);
    }
}

/// A message that is stored in memory and delivered to a room of 500.
fn fan_out() -> Work {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sessions = runtime.block_on(room(500));
    let text = r#"{"message": "Shall we meet at noon?"}"#;
    let send = Dialect::Plain.decode_command(text, &Limits::default()).expect("it is valid");
    let once = move || say(&runtime, &sessions, &send);
    Work { name: "send/to 500".into(), rounds: FEW, once: Box::new(once) }
}

fn say(runtime: &Runtime, sessions: &[Session], send: &Command) {
    let sender = sessions.first().expect("there are some");
    runtime.block_on(sender.handle(send.clone())).expect("it can be stored");
}

async fn room(members: usize) -> Vec<Session> {
    let clock = || Timestamp::from_micros(1_759_460_400_000_000).expect("a time of this century");
    let config = chat_core::ServiceConfig::default();
    let (service, driver) = ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), clock, config);
    tokio::spawn(driver.run());
    let mut sessions = Vec::new();
    for _ in 0..members {
        let arrival = Arrival {
            identity: Identity::Guest { name: None },
            target: Target::Room(RoomName::new("lobby").expect("a name").into()),
            behavior: Some(Behavior::ONE_ROOM),
            transport: Arc::new(Sink),
        };
        sessions.push(service.connect(arrival).await.expect("guests may come in"));
    }
    sessions
}
