//! What a [`ChannelLayer`] must do. Every case gets two nodes of one layer.

use chat_protocol::{
    ClientId, Event, Message, MessageId, MessagePosted, Notification, NotificationId, Person, ReadMark,
    RoomActivity, RoomId, RoomLabel, RoomName, RoomRef, Seq, Timestamp, UserId, Username,
};

use crate::storage::{Access, User};
use crate::{Activity, Audience, ChannelLayer, Content, Envelope, Moment, Received, Standing, Topic};

/// Tests an implementation of [`ChannelLayer`]: give it a future that makes two nodes of a fresh layer.
///
/// ```
/// use chat_core::memory::LocalChannelLayer;
///
/// chat_core::channel_layer_conformance!(async {
///     let first = LocalChannelLayer::new();
///     let second = first.join();
///     (first, second)
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! channel_layer_conformance {
    ($make:expr) => {
        $crate::channel_layer_conformance! { @cases $make,
            another_node_hears_what_it_subscribes_to,
            the_publisher_does_not_hear_itself,
            what_is_not_subscribed_to_is_not_heard,
            after_unsubscribing_nothing_is_heard,
            envelopes_of_a_node_keep_their_order,
            giving_up_a_receive_loses_nothing,
            subscribers_are_known,
        }
    };
    (@cases $make:expr, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (first, second) = $make.await;
                $crate::conformance::channel_layer::$case(&first, &second).await;
            }
        )*
    };
}

fn topic(room: i64) -> Topic {
    Topic::Room(RoomId::new(room).unwrap())
}

fn envelope(topic: Topic, number: i64) -> Envelope {
    let reader = Person { id: Some(UserId::new(number).unwrap()), name: None };
    let event = Event::MessagesRead(ReadMark { room: None, reader, up_to: None });
    Envelope { topic, content: Content::Told { event, audience: Audience::Everyone } }
}

/// The next envelope. A layer may always say that something may have been lost.
async fn next(layer: &impl ChannelLayer) -> Envelope {
    loop {
        if let Received::Envelope(envelope) = layer.receive().await {
            return envelope;
        }
    }
}

/// What one node publishes, the other receives as it was, whatever it is.
pub async fn another_node_hears_what_it_subscribes_to(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    let user = UserId::new(1).unwrap();
    for topic in [topic(1), Topic::User(user), Topic::Listeners, Topic::OpenListeners] {
        second.subscribe(topic).await;
        for content in contents() {
            let sent = Envelope { topic, content };
            first.publish(sent.clone());
            assert_eq!(next(second).await, sent);
        }
    }
}

/// All that nodes tell each other, with and without whatever can be left out.
fn contents() -> Vec<Content> {
    let (user, room, seq) = (UserId::new(2).unwrap(), RoomId::new(3).unwrap(), Seq::new(4).unwrap());
    let name = Username::new("amy").unwrap();
    let stored = User { id: user, name: name.clone() };
    let person = Person { id: Some(user), name: Some(name.clone()) };
    let label = RoomLabel {
        id: Some(room),
        name: Some(RoomName::new("hall").unwrap()),
        display_name: Some("The hall".into()),
        as_referred: Some(RoomRef::Name(RoomName::new("hall").unwrap())),
    };
    let message = Message {
        id: Some(MessageId::new(5).unwrap()),
        sender: person.clone(),
        text: "\u{1f600}\n\"".into(),
        sent_at: Some(Timestamp::from_micros(1_759_460_400_000_001).unwrap()),
        is_read: Some(false),
        client_id: Some(ClientId::new("mark").unwrap()),
    };
    let bare = Message { id: None, sent_at: None, is_read: None, client_id: None, ..message.clone() };
    let by_id = RoomLabel { as_referred: Some(RoomRef::Id(room)), ..RoomLabel::default() };
    let posted = |room, message| Event::MessagePosted(MessagePosted { room, message });
    let notification = Notification {
        id: Some(NotificationId::new(6).unwrap()),
        sender: Person::default(),
        text: "mail".into(),
        sent_at: message.sent_at,
    };
    let told = [
        Event::MessagesRead(ReadMark { room: Some(room), reader: person, up_to: message.id }),
        Event::NotificationReceived(notification),
    ];
    let audience = Audience::EveryoneBut(user);
    let mut contents: Vec<_> = told.into_iter().map(|event| Content::Told { event, audience }).collect();
    let told = RoomActivity { room: label.clone(), members: vec![name], message: message.clone() };
    contents.extend([
        Content::Active(Activity { told, access: Access::MembersOnly, members: vec![user] }),
        Content::Posted { seq, event: posted(label, message) },
        Content::Posted { seq, event: posted(by_id, bare) },
        Content::Typing { user: stored.clone(), is_typing: true },
        Content::Presence { user: stored.clone(), standing: Standing { is_online: true, as_of: Moment(7) } },
        Content::Removed(user),
        Content::Joined(room),
    ]);
    contents
}

/// A node gets nothing back of what it published itself.
pub async fn the_publisher_does_not_hear_itself(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    first.subscribe(topic(1)).await;
    first.publish(envelope(topic(1), 1));
    second.publish(envelope(topic(1), 2));
    assert_eq!(next(first).await, envelope(topic(1), 2));
}

/// Topics are kept apart.
pub async fn what_is_not_subscribed_to_is_not_heard(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(2)).await;
    first.publish(envelope(topic(1), 1));
    first.publish(envelope(Topic::User(UserId::new(2).unwrap()), 1));
    first.publish(envelope(topic(2), 2));
    assert_eq!(next(second).await, envelope(topic(2), 2));
}

/// Unsubscribed topics are quiet; the others are not.
pub async fn after_unsubscribing_nothing_is_heard(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    second.subscribe(topic(2)).await;
    second.unsubscribe(topic(1)).await;
    first.publish(envelope(topic(1), 1));
    first.publish(envelope(topic(2), 2));
    assert_eq!(next(second).await, envelope(topic(2), 2));
}

/// Envelopes of one node arrive in the order in which it published them.
pub async fn envelopes_of_a_node_keep_their_order(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    for number in 1..=100 {
        first.publish(envelope(topic(1), number));
    }
    for number in 1..=100 {
        assert_eq!(next(second).await, envelope(topic(1), number));
    }
}

/// A receive that is given up while it waits takes nothing with it.
pub async fn giving_up_a_receive_loses_nothing(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    tokio::select! {
        biased;
        _ = next(second) => unreachable!("nothing was published"),
        () = std::future::ready(()) => {}
    }
    first.publish(envelope(topic(1), 1));
    assert_eq!(next(second).await, envelope(topic(1), 1));
}

/// A layer knows of other nodes' subscribers, or says that there may be some.
pub async fn subscribers_are_known(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    assert!(first.has_subscribers(topic(1)));
    assert!(first.is_heard(&[topic(2), topic(1)]).await);
}

#[cfg(test)]
mod tests {
    use crate::memory::LocalChannelLayer;

    crate::channel_layer_conformance!(async {
        let first = LocalChannelLayer::new();
        let second = first.join();
        (first, second)
    });

    #[tokio::test]
    async fn a_lone_node_has_nobody_to_talk_to() {
        use crate::{ChannelLayer, Topic};

        let lone = LocalChannelLayer::new();
        lone.subscribe(Topic::Listeners).await;
        assert!(!lone.has_subscribers(Topic::Listeners));
        let other = lone.join();
        other.subscribe(Topic::Listeners).await;
        drop(other);
        assert!(!lone.has_subscribers(Topic::Listeners), "who is gone does not count");
    }
}
