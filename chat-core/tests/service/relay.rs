//! Another system that shares rooms: what it posts, and what it hears.

use chat_core::storage::Room;
use chat_core::{ChatService, CommandError, ForeignMessage, RelayInlet, RelayOutlet, Relayed};
use chat_protocol::{ClientId, Event, Limits, MessageText, RoomName, Username};
use tokio::time::timeout;

use crate::{Node, PATIENCE};

/// Another system, at a relay of a node.
struct Foreign {
    service: ChatService,
    inlet: RelayInlet,
    outlet: RelayOutlet,
}

impl Foreign {
    fn at(node: &Node, queued: usize) -> Self {
        let (inlet, outlet) = node.service.relay(queued);
        Self { service: node.service.clone(), inlet, outlet }
    }

    async fn room(&self) -> Room {
        self.service.storage().ensure_room(&RoomName::new("hall").unwrap()).await.unwrap()
    }

    async fn message(&self, text: &str, mark: Option<&str>) -> ForeignMessage {
        let sender = self.service.storage().ensure_user(&Username::new("zoe").unwrap()).await.unwrap();
        ForeignMessage {
            room: self.room().await,
            sender,
            text: MessageText::new(text, &Limits::default()).unwrap(),
            mark: mark.map(|mark| ClientId::new(mark).unwrap()),
        }
    }

    async fn hear(&mut self) -> Option<String> {
        let relayed = timeout(PATIENCE, self.outlet.next()).await.unwrap()?;
        Some(match relayed {
            Relayed::RoomInUse(room) => format!("room {}", room.name),
            Relayed::MessagePosted { room, message } => {
                format!("{}: {} says {}", room.name, message.sender.name, message.text)
            }
            Relayed::Missed(missed) => format!("missed {missed}"),
        })
    }
}

#[tokio::test]
async fn what_it_posts_is_stored_and_heard_by_everybody_but_itself() {
    let node = Node::start();
    let mut foreign = Foreign::at(&node, 16);
    let mut other = Foreign::at(&node, 16);
    let amy = node.guest("amy", "hall").await;

    let stored = foreign.inlet.post(foreign.message("hello", None).await).await.unwrap();
    let Event::MessagePosted(posted) = amy.hear().await else { panic!("amy hears it") };
    assert_eq!(posted.message.id, Some(stored.id));
    assert_eq!(posted.message.sender.name.unwrap().as_str(), "zoe");
    amy.say("hello yourself").await;

    assert_eq!(foreign.hear().await.unwrap(), "room hall");
    assert_eq!(foreign.hear().await.unwrap(), "hall: amy says hello yourself");
    assert_eq!(other.hear().await.unwrap(), "room hall");
    assert_eq!(other.hear().await.unwrap(), "hall: zoe says hello");
}

#[tokio::test]
async fn what_is_handed_in_twice_is_stored_once() {
    let node = Node::start();
    let foreign = Foreign::at(&node, 16);
    let amy = node.guest("amy", "hall").await;
    let first = foreign.inlet.post(foreign.message("hello", Some("mark")).await).await.unwrap();
    let second = foreign.inlet.post(foreign.message("hello", Some("mark")).await).await.unwrap();
    assert_eq!(first, second);
    foreign.inlet.post(foreign.message("bye", None).await).await.unwrap();
    assert_eq!([amy.hear_message().await, amy.hear_message().await], ["hello", "bye"]);
}

#[tokio::test]
async fn what_is_not_taken_in_time_is_counted_and_dropped() {
    let node = Node::start();
    let mut foreign = Foreign::at(&node, 2);
    let amy = node.guest("amy", "hall").await;
    for text in ["1", "2", "3", "4"] {
        amy.say(text).await;
    }
    assert_eq!(foreign.hear().await.unwrap(), "missed 3");
    assert_eq!(foreign.hear().await.unwrap(), "hall: amy says 3");
    assert_eq!(foreign.hear().await.unwrap(), "hall: amy says 4");
}

#[tokio::test]
async fn it_hears_everything_and_then_the_end() {
    let node = Node::start();
    let mut foreign = Foreign::at(&node, 16);
    let amy = node.guest("amy", "hall").await;
    amy.say("last words").await;
    node.service.close();
    node.driving.await.unwrap();
    let (inlet, mut late) = node.service.relay(1);
    assert!(late.next().await.is_none());
    assert_eq!(foreign.hear().await.unwrap(), "room hall");
    assert_eq!(foreign.hear().await.unwrap(), "hall: amy says last words");
    assert_eq!(foreign.hear().await, None);
    let refused = inlet.post(foreign.message("too late", None).await).await;
    assert!(matches!(refused, Err(CommandError::Closed)));
}
