//! What is stored, as clients are told of it.

use chat_protocol::{
    Event, History, Message, MessagePosted, Notification, Person, Presence, RoomActivity, RoomLabel, RoomRef,
    Typing,
};

use crate::storage::{FurthestReaders, Room, StoredMessage, StoredNotification, User};

pub(crate) fn person(user: &User) -> Person {
    Person { id: Some(user.id), name: Some(user.name.clone()) }
}

pub(crate) fn label(room: &Room, as_referred: Option<RoomRef>) -> RoomLabel {
    RoomLabel {
        id: Some(room.id),
        name: Some(room.name.clone()),
        display_name: room.display_name.clone(),
        as_referred,
    }
}

/// A message; just posted, nobody has read it.
pub(crate) fn new_message(stored: &StoredMessage) -> Message {
    message(stored, FurthestReaders::default())
}

pub(crate) fn message_posted(room: &Room, as_referred: Option<RoomRef>, stored: &StoredMessage) -> Event {
    Event::MessagePosted(MessagePosted { room: label(room, as_referred), message: new_message(stored) })
}

/// A message that was posted while its reader was away.
pub(crate) fn message_replayed(room: &Room, stored: &StoredMessage, readers: FurthestReaders) -> Event {
    Event::MessagePosted(MessagePosted { room: label(room, None), message: message(stored, readers) })
}

pub(crate) fn history(messages: &[StoredMessage], readers: FurthestReaders) -> Event {
    Event::HistoryFetched(History {
        messages: messages.iter().map(|stored| message(stored, readers)).collect(),
    })
}

pub(crate) fn room_activity(room: &Room, members: &[User], stored: &StoredMessage) -> RoomActivity {
    RoomActivity {
        room: label(room, None),
        members: members.iter().map(|member| member.name.clone()).collect(),
        message: new_message(stored),
    }
}

pub(crate) fn presence_changed(user: &User, is_online: bool) -> Event {
    Event::PresenceChanged(Presence { user: person(user), is_online })
}

pub(crate) fn typing_changed(user: &User, is_typing: bool) -> Event {
    Event::TypingChanged(Typing { user: person(user), is_typing })
}

pub(crate) fn notification(stored: StoredNotification) -> Event {
    Event::NotificationReceived(Notification {
        id: Some(stored.id),
        sender: person(&stored.sender),
        text: stored.text,
        sent_at: Some(stored.sent_at),
    })
}

fn message(stored: &StoredMessage, readers: FurthestReaders) -> Message {
    Message {
        id: Some(stored.id),
        sender: person(&stored.sender),
        text: stored.text.clone(),
        sent_at: Some(stored.sent_at),
        is_read: Some(readers.have_read(stored)),
        client_id: stored.client_id.clone(),
    }
}
