//! The names of channels in Redis.

use chat_core::Topic;

/// Channels whose names begin alike, so that several clusters can share a Redis. (Numbers of databases do not keep
/// channels apart.)
#[derive(Debug, Clone)]
pub(super) struct Channels(String);

impl Channels {
    pub(super) fn new(prefix: &str) -> Self {
        Self(format!("{prefix}:"))
    }

    /// The channel of a topic.
    pub(super) fn of(&self, topic: Topic) -> String {
        let Self(prefix) = self;
        match topic {
            Topic::Room(room) => format!("{prefix}room:{room}"),
            Topic::User(user) => format!("{prefix}user:{user}"),
            Topic::Listeners => format!("{prefix}listeners"),
            Topic::OpenListeners => format!("{prefix}open-listeners"),
        }
    }

    /// The topic of a channel.
    pub(super) fn topic(&self, channel: &str) -> Option<Topic> {
        match channel.strip_prefix(&self.0)? {
            "listeners" => Some(Topic::Listeners),
            "open-listeners" => Some(Topic::OpenListeners),
            name => match name.split_once(':')? {
                ("room", id) => id.parse().ok().map(Topic::Room),
                ("user", id) => id.parse().ok().map(Topic::User),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::{RoomId, UserId};

    #[test]
    fn channels_lead_back_to_their_topics() {
        let channels = Channels::new("site:chat");
        let (room, user) = (RoomId::new(7).unwrap(), UserId::new(8).unwrap());
        for topic in [Topic::Room(room), Topic::User(user), Topic::Listeners, Topic::OpenListeners] {
            assert_eq!(channels.topic(&channels.of(topic)), Some(topic));
        }
        for other in ["", "site:chat:", "site:chat:room:x", "site:chat:hall:7", "other:room:7", "site:chat:x"]
        {
            assert_eq!(channels.topic(other), None, "{other}");
        }
    }
}
