//! Which group belongs to which room.

use std::fmt;
use std::str::FromStr;

use chat_protocol::RoomName;
use thiserror::Error;

/// What stands for the name of the room.
const ROOM: &str = "{room}";

/// How the group of a room is named: `chat_{room}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPattern {
    before: Box<str>,
    after: Box<str>,
}

/// No such pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no pattern for groups; write one with {ROOM} in it, such as chat_{ROOM}")]
pub struct UnknownGroupPattern;

impl GroupPattern {
    /// The group of a room.
    #[must_use]
    pub fn group(&self, room: &RoomName) -> String {
        format!("{}{room}{}", self.before, self.after)
    }

    /// The room that a group belongs to.
    #[must_use]
    pub fn room(&self, group: &str) -> Option<RoomName> {
        let name = group.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        RoomName::new(name).ok()
    }

    /// What comes before the name of the room, and what comes after it.
    pub(super) const fn around(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }
}

impl Default for GroupPattern {
    fn default() -> Self {
        Self { before: "chat_".into(), after: "".into() }
    }
}

impl FromStr for GroupPattern {
    type Err = UnknownGroupPattern;

    fn from_str(text: &str) -> Result<Self, UnknownGroupPattern> {
        match text.split_once(ROOM) {
            Some((before, after)) if !after.contains(ROOM) => {
                Ok(Self { before: before.into(), after: after.into() })
            }
            _ => Err(UnknownGroupPattern),
        }
    }
}

impl fmt::Display for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ROOM}{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_told_by_their_groups() {
        let room = RoomName::new("lobby").unwrap();
        for (pattern, group) in
            [("chat_{room}", "chat_lobby"), ("{room}", "lobby"), ("a.{room}-b", "a.lobby-b")]
        {
            let groups: GroupPattern = pattern.parse().unwrap();
            assert_eq!(groups.to_string(), pattern);
            assert_eq!(groups.group(&room), group);
            assert_eq!(groups.room(group), Some(room.clone()));
        }
        for other in ["chat_", "notes_lobby", "chat_a b", "lobby"] {
            assert_eq!(GroupPattern::default().room(other), None, "{other}");
        }
    }

    #[test]
    fn a_pattern_names_the_room_once() {
        for text in ["", "chat_", "chat_{id}", "{room}{room}"] {
            assert_eq!(text.parse::<GroupPattern>(), Err(UnknownGroupPattern), "{text}");
        }
    }
}
