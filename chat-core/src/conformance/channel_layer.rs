//! What a [`ChannelLayer`] must do. Every case gets two nodes of one layer.

use chat_protocol::{Event, Person, Presence, RoomId, Seq, UserId};

use crate::{Audience, ChannelLayer, Envelope, Topic};

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
    let user = Person { id: Some(UserId::new(number).unwrap()), name: None };
    Envelope {
        topic,
        audience: Audience::Everyone,
        event: Event::PresenceChanged(Presence { user, is_online: true }),
        seq: Some(Seq::new(number).unwrap()),
    }
}

/// What one node publishes, the other receives as it was.
pub async fn another_node_hears_what_it_subscribes_to(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    for topic in [topic(1), Topic::User(UserId::new(1).unwrap()), Topic::Listeners, Topic::OpenListeners] {
        second.subscribe(topic).await;
        let mut sent = envelope(topic, 1);
        sent.audience = Audience::EveryoneBut(UserId::new(2).unwrap());
        first.publish(sent.clone());
        assert_eq!(second.receive().await, sent);
    }
}

/// A node gets nothing back of what it published itself.
pub async fn the_publisher_does_not_hear_itself(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    first.subscribe(topic(1)).await;
    first.publish(envelope(topic(1), 1));
    second.publish(envelope(topic(1), 2));
    assert_eq!(first.receive().await, envelope(topic(1), 2));
}

/// Topics are kept apart.
pub async fn what_is_not_subscribed_to_is_not_heard(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(2)).await;
    first.publish(envelope(topic(1), 1));
    first.publish(envelope(Topic::User(UserId::new(2).unwrap()), 1));
    first.publish(envelope(topic(2), 2));
    assert_eq!(second.receive().await, envelope(topic(2), 2));
}

/// Unsubscribed topics are quiet; the others are not.
pub async fn after_unsubscribing_nothing_is_heard(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    second.subscribe(topic(2)).await;
    second.unsubscribe(topic(1)).await;
    first.publish(envelope(topic(1), 1));
    first.publish(envelope(topic(2), 2));
    assert_eq!(second.receive().await, envelope(topic(2), 2));
}

/// Envelopes of one node arrive in the order in which it published them.
pub async fn envelopes_of_a_node_keep_their_order(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    for number in 1..=100 {
        first.publish(envelope(topic(1), number));
    }
    for number in 1..=100 {
        assert_eq!(second.receive().await, envelope(topic(1), number));
    }
}

/// A receive that is given up while it waits takes nothing with it.
pub async fn giving_up_a_receive_loses_nothing(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    tokio::select! {
        biased;
        _ = second.receive() => unreachable!("nothing was published"),
        () = std::future::ready(()) => {}
    }
    first.publish(envelope(topic(1), 1));
    assert_eq!(second.receive().await, envelope(topic(1), 1));
}

/// A layer knows of other nodes' subscribers, or says that there may be some.
pub async fn subscribers_are_known(first: &impl ChannelLayer, second: &impl ChannelLayer) {
    second.subscribe(topic(1)).await;
    assert!(first.has_subscribers(topic(1)));
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
