//! The names of groups, inboxes and channels, and the keys that Redis has them under.

use chat_protocol::{RoomId, RoomName};
use sha2::{Digest, Sha256};

use crate::django_channels::config::BridgeConfig;
use crate::django_channels::group::GroupPattern;

/// A name must be shorter.
const NAME_LENGTH: usize = 100;

/// What the channel of a room begins with, after the inbox.
const ROOM: &str = "room-";

#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
    groups: GroupPattern,
    inbox: String,
    inbox_key: String,
    mark_key: String,
}

impl Names {
    pub(super) fn new(config: &BridgeConfig) -> Self {
        let digest = Sha256::digest(&config.name);
        let (half, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        let inbox = format!("specific.{:032x}!", u128::from_be_bytes(*half));
        let inbox_key = format!("{}{inbox}", config.prefix);
        let mark_key = format!("{}:chat-bridge-joined:{}", config.prefix, config.name);
        Self { prefix: config.prefix.clone(), groups: config.groups.clone(), inbox, inbox_key, mark_key }
    }

    /// The inbox of this bridge: how the names of all its channels begin.
    pub(super) fn inbox(&self) -> &str {
        &self.inbox
    }

    pub(super) fn inbox_key(&self) -> &str {
        &self.inbox_key
    }

    /// What a server has that knows of which groups this bridge is a member.
    pub(super) fn mark_key(&self) -> &str {
        &self.mark_key
    }

    /// The key of the inbox that a channel's messages go to.
    pub(super) fn inbox_key_of(&self, inbox: &str) -> String {
        format!("{}{inbox}", self.prefix)
    }

    /// The group of a room; `None` where its name is none that Channels allows.
    pub(super) fn group(&self, room: &RoomName) -> Option<String> {
        let group = self.groups.group(room);
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if group.len() < NAME_LENGTH && group.bytes().all(may_stand) {
            return Some(group);
        }
        tracing::debug!(%room, "a room has no group, because its name cannot be part of that of one");
        None
    }

    pub(super) fn group_key(&self, group: &str) -> String {
        format!("{}:group:{group}", self.prefix)
    }

    /// This bridge's channel in the group of a room.
    pub(super) fn channel(&self, room: RoomId) -> String {
        format!("{}{ROOM}{room}", self.inbox)
    }

    /// The room that a channel of this bridge stands for.
    pub(super) fn room(&self, channel: &str) -> Option<RoomId> {
        channel.strip_prefix(&*self.inbox)?.strip_prefix(ROOM)?.parse().ok()
    }

    /// Whether a channel is one of this bridge.
    pub(super) fn is_own(&self, channel: &str) -> bool {
        channel.starts_with(&*self.inbox)
    }
}

/// The inbox of a channel; a channel without one has it under its own name.
pub(super) fn inbox_of(channel: &str) -> &str {
    channel.find('!').and_then(|end| channel.get(..=end)).unwrap_or(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&BridgeConfig::new(Vec::new()))
    }

    #[test]
    fn a_channel_tells_its_room() {
        let names = names();
        let room = RoomId::new(i64::MAX).unwrap();
        let channel = names.channel(room);
        assert!(channel.len() < NAME_LENGTH);
        assert_eq!(names.room(&channel), Some(room));
        assert!(names.is_own(&channel));
        assert_eq!(inbox_of(&channel), names.inbox());
        assert_eq!(names.inbox_key(), format!("asgi{}", names.inbox()));
        assert_eq!(names.inbox_key_of("specific.aa!"), "asgispecific.aa!");
        for other in ["specific.aa!room-1", "room-1", &format!("{}room-x", names.inbox()), names.inbox()] {
            assert_eq!(names.room(other), None, "{other}");
        }
        assert_eq!(inbox_of("worker"), "worker");
    }

    #[test]
    fn only_names_that_channels_allows_have_groups() {
        let names = names();
        let group = |room: &str| names.group(&RoomName::new(room).unwrap());
        assert_eq!(group("Lobby_1.a-b").as_deref(), Some("chat_Lobby_1.a-b"));
        assert_eq!(names.group_key("chat_lobby"), "asgi:group:chat_lobby");
        assert!(group(&"x".repeat(94)).is_some());
        assert_eq!(group("聊天室"), None);
        let longer =
            BridgeConfig { groups: "chats_{room}".parse().unwrap(), ..BridgeConfig::new(Vec::new()) };
        assert_eq!(Names::new(&longer).group(&RoomName::new(&"x".repeat(94)).unwrap()), None);
    }
}
