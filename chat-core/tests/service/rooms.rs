//! Rooms, membership, presence, typing, read marks, listeners.

use std::sync::Arc;
use std::time::Duration;

use chat_core::memory::LocalChannelLayer;
use chat_core::storage::{Access, NewRoom, Purpose, User};
use chat_core::{Arrival, CommandError, ConnectError, Identity, ServiceConfig, Target};
use chat_protocol::{Command, Event, FetchHistory, RoomName, RoomRef, Username};
use tokio::time::Instant;

use crate::faults::{Faults, Frail};
use crate::{ALL_ROOMS, Guest, Inbox, Node, READER, den, say};

const FETCH: Command = Command::FetchHistory(FetchHistory { room: None, before: None, limit: None });

fn presence(event: &Event) -> Option<(&str, bool)> {
    match event {
        Event::PresenceChanged(presence) => Some((presence.user.name.as_ref()?.as_str(), presence.is_online)),
        _ => None,
    }
}

async fn read_flags(guest: &Guest) -> Vec<Option<bool>> {
    guest.heard();
    guest.session.handle(FETCH).await.unwrap();
    match &guest.heard()[..] {
        [Event::HistoryFetched(history)] => history.messages.iter().map(|message| message.is_read).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_is_read_once_somebody_else_has_read_it() {
    let node = Node::start();
    let amy = node.guest_with("amy", "hall", Some(READER)).await;
    amy.say("one").await;
    amy.session.handle(Command::MarkRead).await.unwrap();
    assert_eq!(read_flags(&amy).await, [Some(false)], "one's own reading does not count");
    let ben = node.guest_with("ben", "hall", Some(READER)).await;
    assert_eq!(read_flags(&amy).await, [Some(true)], "Ben has read it by coming");
    amy.say("two").await;
    assert_eq!(read_flags(&amy).await, [Some(false), Some(true)]);
    ben.session.handle(Command::MarkRead).await.unwrap();
    assert_eq!(read_flags(&amy).await, [Some(true), Some(true)]);
}

#[tokio::test]
async fn others_hear_who_comes_and_goes_before_anything_else_of_them() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    ben.say("hello").await;
    assert_eq!(presence(&amy.hear().await), Some(("ben", true)));
    assert!(matches!(amy.hear().await, Event::MessagePosted(_)));
    assert!(ben.heard().iter().all(|event| presence(event).is_none()), "nobody is told of themselves");
    drop(ben);
    assert_eq!(presence(&amy.hear().await), Some(("ben", false)));
    let name = Username::new("ben").unwrap();
    let user = node.service.storage().user_named(&name).await.unwrap().unwrap();
    assert!(node.service.storage().last_seen(user.id).await.unwrap().is_some());
}

#[tokio::test]
async fn somebody_online_elsewhere_is_announced_in_a_room_they_join() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let _kitchen = node.guest("ben", "kitchen").await;
    let _hall = node.guest("ben", "hall").await;
    assert_eq!(presence(&amy.hear().await), Some(("ben", true)));
}

#[tokio::test(start_paused = true)]
async fn typing_ends_by_itself_after_its_time() {
    let lasts = Duration::from_secs(6);
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    amy.heard();
    let start = Instant::now();
    ben.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
    for is_typing in [true, false] {
        match amy.hear().await {
            Event::TypingChanged(typing) => assert_eq!(typing.is_typing, is_typing),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(start.elapsed(), lasts);
    assert_eq!(ServiceConfig::default().typing_lasts, lasts);
}

#[tokio::test]
async fn typing_ends_with_a_message_and_with_the_connection() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    for ends_with_message in [true, false] {
        amy.heard();
        ben.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
        assert!(matches!(amy.hear().await, Event::TypingChanged(typing) if typing.is_typing));
        if ends_with_message {
            ben.say("done").await;
            assert!(matches!(amy.hear().await, Event::MessagePosted(_)));
            assert!(matches!(amy.hear().await, Event::TypingChanged(typing) if !typing.is_typing));
        }
    }
    drop(ben);
    assert!(matches!(amy.hear().await, Event::TypingChanged(typing) if !typing.is_typing));
    assert_eq!(presence(&amy.hear().await), Some(("ben", false)));
}

#[tokio::test]
async fn numbers_name_rooms_for_guests_and_ids_for_others() {
    let node = Node::start();
    let five = node.guest("amy", "5").await;
    let one = node.guest("ben", "1").await;
    assert_ne!(five.session.room(), one.session.room(), "a guest's number is a name, and no other room's id");

    let storage = node.service.storage();
    let lobby = storage.ensure_room(&RoomName::new("lobby").unwrap()).await.unwrap();
    let user = storage.ensure_user(&Username::new("cleo").unwrap()).await.unwrap();
    let connect = async |room: &str| {
        let arrival = Arrival {
            identity: Identity::User(user.clone()),
            target: Target::Room(RoomName::new(room).unwrap().into()),
            behavior: None,
            transport: Arc::new(Inbox::default()),
        };
        node.service.connect(arrival).await
    };
    let by_id = connect(&lobby.id.to_string()).await.unwrap();
    assert_eq!(by_id.room(), Some(&lobby));
    assert!(matches!(connect("nowhere").await, Err(ConnectError::UnknownRoom)), "only guests make rooms");
}

#[tokio::test]
async fn a_proven_identity_is_not_changed_by_a_frame() {
    let node = Node::start();
    let watcher = node.guest("watcher", "hall").await;
    let amy = node.service.storage().ensure_user(&Username::new("amy").unwrap()).await.unwrap();
    let arrival = Arrival {
        identity: Identity::User(amy),
        target: Target::Room(RoomName::new("hall").unwrap().into()),
        behavior: None,
        transport: Arc::new(Inbox::default()),
    };
    let session = node.service.connect(arrival).await.unwrap();
    let Command::SendMessage(mut send) = say(None, "hello", None) else { unreachable!() };
    send.claimed_sender = Some(Username::new("ben").unwrap());
    session.handle(Command::SendMessage(send)).await.unwrap();
    loop {
        if let Event::MessagePosted(posted) = watcher.hear().await {
            assert_eq!(posted.message.sender.name.unwrap().as_str(), "amy");
            break;
        }
    }
}

#[tokio::test]
async fn guests_make_no_names_that_look_like_others() {
    let node = Node::start();
    let storage = node.service.storage();
    let (twin, older) = (Username::new("ben\u{115f}").unwrap(), RoomName::new("older\u{115f}").unwrap());
    let guest = node.guest("amy", "hall").await;
    let Command::SendMessage(mut send) = say(None, "hello", None) else { unreachable!() };
    send.claimed_sender = Some(twin.clone());
    let refused = guest.session.handle(Command::SendMessage(send)).await;
    assert!(matches!(refused, Err(CommandError::InvalidName(_))), "{refused:?}");
    assert_eq!(storage.user_named(&twin).await.unwrap(), None);

    let enter = async |room: &RoomName| {
        let arrival = Arrival {
            identity: Identity::Guest { name: None },
            target: Target::Room(room.clone().into()),
            behavior: None,
            transport: Arc::new(Inbox::default()),
        };
        node.service.connect(arrival).await
    };
    assert!(matches!(enter(&older).await, Err(ConnectError::UnknownRoom)));
    assert_eq!(storage.room_named(&older).await.unwrap(), None);
    // A room that is there already is entered.
    storage.ensure_room(&older).await.unwrap();
    enter(&older).await.unwrap();
}

#[tokio::test]
async fn a_socket_of_all_rooms_sends_only_to_those_it_carries() {
    let node = Node::start();
    let _hall = node.guest("amy", "hall").await;
    let ben = node.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let refused = ben.session.handle(say(Some("hall"), "hello", None)).await;
    assert!(matches!(refused, Err(CommandError::NotAMember)), "{refused:?}");
    let _tab = node.guest("ben", "hall").await;
    ben.session.handle(say(Some("hall"), "hello", None)).await.unwrap();
}

#[tokio::test]
async fn behaviour_that_shows_late_takes_effect_then() {
    let node = Node::start();
    let _tab = node.guest("amy", "kitchen").await;
    let amy = node.guest_with("amy", "hall", None).await;
    let ben = node.guest("ben", "kitchen").await;
    ben.say("before").await;
    amy.session.adopt(ALL_ROOMS).await.unwrap();
    ben.say("after").await;
    assert_eq!(amy.hear_message().await, "after");
}

#[tokio::test]
async fn who_is_removed_hears_nothing_more_at_once() {
    let node = Node::start();
    let storage = node.service.storage();
    let mut users = Vec::new();
    for name in ["amy", "ben"] {
        users.push(storage.ensure_user(&Username::new(name).unwrap()).await.unwrap());
    }
    let den = den(storage, &[&users[0], &users[1]]).await;
    let connect = async |user: &User, behavior| node.user(user, "den", behavior).await;
    let amy = connect(&users[0], ALL_ROOMS).await.unwrap();
    let ben = connect(&users[1], READER).await.unwrap();
    let ben_tab = connect(&users[1], ALL_ROOMS).await.unwrap();
    node.service.remove_member(den.id, users[1].id).await.unwrap();
    assert!(ben.inbox.is_closed(), "the connection to the room is closed");
    assert!(!ben_tab.inbox.is_closed(), "the one that carries all rooms is not");
    ben.heard();
    ben_tab.heard();
    amy.session.handle(say(Some("den"), "among us", None)).await.unwrap();
    assert_eq!((ben.heard(), ben_tab.heard()), (vec![], vec![]));
    assert!(matches!(ben.try_say("still here").await, Err(CommandError::NotAMember)));
    let refused = ben_tab.session.handle(say(Some("den"), "still here", None)).await;
    assert!(matches!(refused, Err(CommandError::NotAMember)));
    assert!(matches!(connect(&users[1], READER).await, Err(ConnectError::UnknownRoom)));

    node.service.add_member(&den, &users[1]).await.unwrap();
    ben_tab.session.handle(say(Some("den"), "back", None)).await.unwrap();
}

#[tokio::test]
async fn a_room_that_is_made_is_carried_at_once() {
    let node = Node::start();
    let amy = node.guest_with("amy", "hall", Some(ALL_ROOMS)).await;
    let ben = node.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let users = [&amy, &ben].map(|guest| guest.session.user().unwrap().id);
    let new = |name: &str| NewRoom {
        name: RoomName::new(name).unwrap(),
        display_name: None,
        access: Access::Open,
        owner: None,
        members: users.to_vec(),
    };
    let made = node.service.create_room(&new("den")).await.unwrap();
    assert!(made.is_some());
    amy.session.handle(say(Some("den"), "in the den", None)).await.unwrap();
    assert_eq!(ben.hear_message().await, "in the den");
    assert_eq!(node.service.create_room(&new("den")).await.unwrap(), None, "there is one");

    let purpose = Purpose::OneToOne(users[0], users[1]);
    let first = node.service.room_for(purpose, &new("first")).await.unwrap();
    ben.session.handle(say(Some("first"), "between us", None)).await.unwrap();
    assert_eq!(amy.hear_message().await, "between us");
    let purpose = Purpose::OneToOne(users[1], users[0]);
    assert_eq!(node.service.room_for(purpose, &new("second")).await.unwrap(), first);

    // Whoever was removed does not come back by asking for the room again.
    node.service.remove_member(first.id, users[1]).await.unwrap();
    node.service.room_for(purpose, &new("third")).await.unwrap();
    let refused = ben.session.handle(say(Some("first"), "still here", None)).await;
    assert!(matches!(refused, Err(CommandError::NotAMember)));
}

#[tokio::test]
async fn listeners_hear_of_the_rooms_they_may_know_of() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "kitchen").await;
    let (of_amy, of_all) = (node.listener(Some("amy")).await, node.listener(None).await);
    ben.say("soup").await;
    amy.say("hello").await;
    let rooms = async |listener: &Guest, count| {
        let mut rooms = Vec::new();
        for _ in 0..count {
            match listener.hear().await {
                Event::RoomActive(active) => rooms.push(active.room.name.unwrap().to_string()),
                other => panic!("{other:?}"),
            }
        }
        rooms
    };
    assert_eq!(rooms(&of_all, 2).await, ["kitchen", "hall"]);
    assert_eq!(rooms(&of_amy, 1).await, ["hall"]);
    let refused = of_all.session.handle(say(None, "me too", None)).await;
    assert!(matches!(refused, Err(CommandError::ListenOnly)));
}

#[tokio::test]
async fn notifications_wait_for_nobody_and_need_somebody() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let notify = |name: &str| {
        Command::SendNotification(chat_protocol::SendNotification {
            recipient: Username::new(name).unwrap(),
            text: chat_protocol::MessageText::new("you have mail", &chat_protocol::Limits::default())
                .unwrap(),
        })
    };
    amy.session.handle(notify("ben")).await.unwrap();
    let Event::NotificationReceived(heard) = ben.hear().await else { panic!() };
    assert_eq!(&*heard.text, "you have mail");
    assert!(matches!(amy.session.handle(notify("nobody")).await, Err(CommandError::UnknownUser)));
    // Who is not there finds it later.
    amy.session.handle(notify("amy")).await.unwrap();
    let storage = node.service.storage();
    let amy = storage.user_named(&Username::new("amy").unwrap()).await.unwrap().unwrap();
    assert_eq!(storage.notifications(amy.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_enters_a_room_that_is_heard_need_not_ask_what_it_is() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let node = Node::with(Arc::new(frail), LocalChannelLayer::new(), ServiceConfig::default());
    let amy = node.guest("amy", "hall").await;
    Faults::set(&faults.hides_names, true);
    let ben = node.guest("ben", "hall").await;
    amy.say("hello").await;
    assert_eq!(ben.hear_message().await, "hello");

    let inbox = ben.inbox.clone();
    drop((amy, ben));
    let hall = RoomRef::Name(RoomName::new("hall").unwrap());
    let identity = Identity::Guest { name: None };
    let arrival = Arrival { identity, target: Target::Room(hall), behavior: None, transport: inbox };
    let nobody = node.service.connect(arrival).await;
    assert!(matches!(nobody, Err(ConnectError::Storage(_))), "nobody hears it any more");
}
