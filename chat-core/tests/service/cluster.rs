//! Two nodes with one storage and one channel layer.

use std::sync::Arc;
use std::time::Duration;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{ServiceConfig, Storage};
use chat_protocol::{Behavior, Command, Event, Username};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use crate::faults::{Faults, Frail};
use crate::lossy::{Losses, Lossy};
use crate::{ALL_ROOMS, Guest, Node, den};

/// Longer than anything lasts that ends by itself.
const LONG: Duration = Duration::from_mins(1);

struct Cluster {
    storage: Arc<dyn Storage>,
    first: Node,
    second: Node,
    /// Of the layer on the side of the first node, and on that of the second.
    losses: [Arc<Losses>; 2],
}

impl Cluster {
    fn start() -> Self {
        Self::with(&ServiceConfig::default())
    }

    fn with(config: &ServiceConfig) -> Self {
        Self::on(Arc::new(MemoryStorage::new()), config)
    }

    fn on(storage: Arc<dyn Storage>, config: &ServiceConfig) -> Self {
        let layer = LocalChannelLayer::new();
        let other = layer.join();
        let losses: [Arc<Losses>; 2] = Default::default();
        let [first, second] = [(layer, &losses[0]), (other, &losses[1])].map(|(layer, losses)| {
            Node::with(Arc::clone(&storage), Lossy { layer, losses: Arc::clone(losses) }, config.clone())
        });
        Self { storage, first, second, losses }
    }

    /// From now on nodes hear nothing of each other, or everything.
    fn drop_everything(&self, is_on: bool) {
        self.losses.iter().for_each(|losses| Losses::set(&losses.drops, is_on));
    }
}

impl Guest {
    /// What they were told of who is online.
    fn presence(&self) -> Vec<(String, bool)> {
        let told = |event| match event {
            Event::PresenceChanged(presence) => Some((presence.user.name?.to_string(), presence.is_online)),
            _ => None,
        };
        self.heard().into_iter().filter_map(told).collect()
    }

    /// The texts of messages that were heard by now.
    fn texts(&self) -> Vec<String> {
        let text = |event| match event {
            Event::MessagePosted(posted) => Some(posted.message.text.to_string()),
            _ => None,
        };
        self.heard().into_iter().filter_map(text).collect()
    }
}

fn ben(is_online: bool) -> (String, bool) {
    ("ben".to_owned(), is_online)
}

#[tokio::test]
async fn what_happens_on_one_node_is_heard_on_the_other() {
    let Cluster { first, second, .. } = Cluster::start();
    let amy = first.guest("amy", "hall").await;
    let ben = second.guest("ben", "hall").await;
    assert!(matches!(amy.hear().await, Event::PresenceChanged(presence) if presence.is_online));
    amy.say("hello").await;
    assert_eq!(ben.hear_message().await, "hello");
    ben.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
    ben.session.handle(Command::MarkRead).await.unwrap();
    assert!(matches!(amy.hear().await, Event::MessagePosted(_)));
    assert!(matches!(amy.hear().await, Event::MessageAccepted(_)));
    assert!(matches!(amy.hear().await, Event::TypingChanged(_)));
    assert!(matches!(amy.hear().await, Event::MessagesRead(_)));
}

#[tokio::test]
async fn listeners_and_notifications_reach_across_nodes() {
    let Cluster { first, second, .. } = Cluster::start();
    let listener = second.listener(None).await;
    let ben = second.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let amy = first.guest("amy", "hall").await;
    amy.say("hello").await;
    assert!(matches!(listener.hear().await, Event::RoomActive(_)));
    let text = chat_protocol::MessageText::new("mail", &chat_protocol::Limits::default()).unwrap();
    let recipient = Username::new("ben").unwrap();
    let notify = chat_protocol::SendNotification { recipient, text };
    amy.session.handle(Command::SendNotification(notify)).await.unwrap();
    assert!(matches!(ben.hear().await, Event::NotificationReceived(_)));
}

#[tokio::test(start_paused = true)]
async fn a_listener_hears_of_its_own_rooms_only_whichever_node_they_are_on() {
    let Cluster { first, second, .. } = Cluster::start();
    drop(second.guest("ben", "kitchen").await);
    let ben = second.listener(Some("ben")).await;
    let amy = first.guest("amy", "hall").await;
    amy.say("secret").await;
    first.guest("amy", "kitchen").await.say("open").await;
    assert!(matches!(ben.hear().await, Event::RoomActive(activity) if &*activity.message.text == "open"));
    sleep(LONG).await;
    assert_eq!(ben.heard(), []);
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_filled_before_what_follows() {
    let cluster = Cluster::start();
    let amy = cluster.first.guest("amy", "hall").await;
    let ben = cluster.second.guest("ben", "hall").await;
    amy.say("one").await;
    cluster.drop_everything(true);
    for number in 0..250 {
        amy.say(&format!("lost {number}")).await;
    }
    cluster.drop_everything(false);
    amy.say("two").await;
    sleep(LONG).await;
    let heard = ben.texts();
    assert_eq!(
        (heard.len(), &*heard[0], &*heard[1], &*heard[250], &*heard[251]),
        (252, "one", "lost 0", "lost 249", "two")
    );
}

#[tokio::test(start_paused = true)]
async fn messages_that_cross_are_heard_at_once_on_both_nodes() {
    let Cluster { first, second, .. } = Cluster::start();
    let amy = first.guest("amy", "hall").await;
    let ben = second.guest("ben", "hall").await;
    let cat = second.guest_with("cat", "hall", Some(ALL_ROOMS)).await;
    let start = Instant::now();
    // Nobody hears anything in between: on the second node, its own messages come too early.
    amy.say("one").await;
    cat.say("two").await;
    for guest in [&amy, &ben] {
        assert_eq!([guest.hear_message().await, guest.hear_message().await], ["one", "two"]);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(cat.texts(), ["one"], "she does not hear herself");
}

#[tokio::test(start_paused = true)]
async fn the_last_message_of_a_room_is_missed_for_seconds_only() {
    let cluster = Cluster::start();
    let amy = cluster.first.guest("amy", "hall").await;
    let ben = cluster.second.guest("ben", "hall").await;
    let listener = cluster.second.listener(Some("ben")).await;
    cluster.drop_everything(true);
    amy.say("lost").await;
    sleep(2 * ServiceConfig::default().rooms_checked_every + Duration::from_secs(1)).await;
    assert_eq!(ben.texts(), ["lost"]);
    cluster.drop_everything(false);
    // Whoever finds it tells the listeners.
    assert!(matches!(listener.hear().await, Event::RoomActive(_)));
    sleep(LONG).await;
    assert_eq!(listener.heard(), []);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_of_an_interruption_looks_at_once() {
    let cluster = Cluster::with(&{
        let mut config = ServiceConfig::default();
        config.rooms_checked_every = Duration::from_hours(24);
        config
    });
    let amy = cluster.first.guest("amy", "hall").await;
    let ben = cluster.second.guest("ben", "hall").await;
    cluster.drop_everything(true);
    amy.say("lost").await;
    cluster.losses[1].interruption.notify_one();
    assert_eq!(ben.hear_message().await, "lost");
}

#[tokio::test(start_paused = true)]
async fn what_comes_twice_is_heard_once() {
    let cluster = Cluster::start();
    Losses::set(&cluster.losses[0].doubles, true);
    let ben = cluster.second.guest("ben", "hall").await;
    let listener = cluster.second.listener(Some("ben")).await;
    let amy = cluster.first.guest("amy", "hall").await;
    for text in ["one", "two"] {
        amy.say(text).await;
    }
    sleep(LONG).await;
    let heard = ben.heard();
    let count = |is: fn(&Event) -> bool| heard.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::MessagePosted(_))), 2);
    assert_eq!(count(|event| matches!(event, Event::PresenceChanged(_))), 1);
    assert_eq!(listener.heard().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_connection_anywhere_and_the_last_make_the_difference() {
    let cluster = Cluster::start();
    let amy = cluster.first.guest("amy", "hall").await;
    let here = cluster.first.guest("ben", "hall").await;
    let there = cluster.second.guest("ben", "hall").await;
    let cleo = cluster.second.guest("cleo", "hall").await;
    drop(here);
    sleep(LONG).await;
    assert!(!amy.presence().contains(&ben(false)) && cleo.presence().is_empty());
    drop(there);
    sleep(LONG).await;
    assert_eq!(amy.presence(), [ben(false)]);
    assert_eq!(cleo.presence(), [ben(false)]);
    let ben = cluster.storage.user_named(&Username::new("ben").unwrap()).await.unwrap().unwrap();
    assert!(cluster.storage.last_seen(ben.id).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_does_not_hear_that_they_have_gone() {
    let mut config = ServiceConfig::default();
    config.presence_grace = Duration::ZERO;
    let cluster = Cluster::with(&config);
    for node in [&cluster.first, &cluster.second] {
        drop(node.guest("ben", "hall").await);
        sleep(LONG).await;
        drop(cluster.first.guest("ben", "kitchen").await);
        // Nobody is in the hall: it takes a while to hear it, in which its members are told that ben has gone.
        let ben = node.guest("ben", "hall").await;
        sleep(LONG).await;
        assert_eq!(ben.presence(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn the_people_of_a_dead_node_are_offline_before_long() {
    let Cluster { storage, first, second, .. } = Cluster::start();
    let amy = first.guest("amy", "hall").await;
    let there = second.guest("ben", "hall").await;
    amy.presence();
    second.driving.abort();
    sleep(Duration::from_secs(15)).await;
    assert_eq!(amy.presence(), [ben(false)]);
    let user = storage.user_named(&Username::new("ben").unwrap()).await.unwrap().unwrap();
    assert!(storage.last_seen(user.id).await.unwrap().is_some());
    let again = first.guest("ben", "hall").await;
    assert_eq!(amy.presence(), [ben(true)]);
    drop((there, again));
}

#[tokio::test(start_paused = true)]
async fn the_people_of_a_dead_node_are_offline_though_storage_could_not_name_them_at_first() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let Cluster { first, second, .. } = Cluster::on(Arc::new(frail), &ServiceConfig::default());
    let amy = first.guest("amy", "hall").await;
    let there = second.guest("ben", "hall").await;
    amy.presence();
    second.driving.abort();
    Faults::set(&faults.hides_users, true);
    sleep(LONG).await;
    assert_eq!(amy.presence(), []);
    Faults::set(&faults.hides_users, false);
    sleep(Duration::from_secs(15)).await;
    assert_eq!(amy.presence(), [ben(false)]);
    drop(there);
}

#[tokio::test(start_paused = true)]
async fn who_comes_is_online_everywhere_though_the_answer_of_the_roster_was_lost() {
    let Cluster { first, second, losses, .. } = Cluster::start();
    let amy = first.guest("amy", "hall").await;
    amy.presence();
    Losses::set(&losses[1].roster_is_mute, true);
    let there = second.guest("ben", "hall").await;
    Losses::set(&losses[1].roster_is_mute, false);
    sleep(Duration::from_secs(15)).await;
    assert_eq!(amy.presence(), [ben(true)]);
    drop(there);
}

#[tokio::test(start_paused = true)]
async fn who_looks_into_many_rooms_gives_signs_of_life_and_lets_people_in() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let Cluster { first, second, losses, .. } = Cluster::on(Arc::new(frail), &ServiceConfig::default());
    let mut here = Vec::new();
    for number in 0..1000 {
        here.push(first.guest("ben", &format!("room-{number}")).await);
    }
    let amy = second.guest("amy", "room-0").await;
    amy.presence();
    faults.members_take.set(Duration::from_secs(1)).unwrap();
    losses[0].interruption.notify_one();
    sleep(Duration::from_secs(1)).await;
    timeout(Duration::from_secs(3), first.guest("cat", "hall"))
        .await
        .expect("they do not wait for all rooms");
    sleep(LONG).await;
    assert!(!amy.presence().contains(&ben(false)), "the node was not taken for dead");
    // They say good-bye while their node is there.
    drop(here);
}

#[tokio::test(start_paused = true)]
async fn who_comes_from_a_dead_node_does_not_wait_until_all_others_of_it_are_seen_off() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let cluster = Cluster::on(Arc::new(frail), &ServiceConfig::default());
    let amy = cluster.first.guest("amy", "hall").await;
    let mut there = Vec::new();
    for number in 0..100 {
        there.push(cluster.second.guest(&format!("guest-{number}"), "hall").await);
    }
    amy.presence();
    cluster.second.driving.abort();
    let may_be_recorded = faults.may_be_recorded.get_or_init(|| Semaphore::new(0));
    sleep(Duration::from_secs(15)).await;
    let mut ben_comes = Box::pin(cluster.first.guest("ben", "hall"));
    for _ in 0..100 {
        assert!(futures::poll!(ben_comes.as_mut()).is_pending());
        yield_now().await;
    }
    may_be_recorded.add_permits(50);
    let ben_here = timeout(LONG, ben_comes).await.expect("ben comes in");
    let told = amy.presence();
    assert!(told.contains(&ben(true)) && told.len() < 100, "{told:?}");
    may_be_recorded.add_permits(100);
    sleep(LONG).await;
    assert_eq!(told.len() + amy.presence().len(), 101);
    drop((there, ben_here));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_to_another_node_within_the_grace_was_not_away() {
    let mut config = ServiceConfig::default();
    config.presence_grace = Duration::from_secs(2);
    let cluster = Cluster::with(&config);
    let amy = cluster.first.guest("amy", "hall").await;
    let here = cluster.first.guest("ben", "hall").await;
    amy.presence();
    drop(here);
    sleep(Duration::from_secs(1)).await;
    let there = cluster.second.guest("ben", "hall").await;
    sleep(LONG).await;
    assert_eq!(amy.presence(), []);
    // Nor does a node that is stopped in good order make anybody flicker.
    cluster.second.service.close();
    drop(there);
    cluster.second.driving.await.unwrap();
    let back = cluster.first.guest("ben", "hall").await;
    sleep(LONG).await;
    assert_eq!(amy.presence(), []);
    drop(back);
    sleep(LONG).await;
    assert_eq!(amy.presence(), [ben(false)]);
}

#[tokio::test(start_paused = true)]
async fn presence_is_right_again_after_the_nodes_were_cut_off_from_each_other() {
    let cluster = Cluster::start();
    let amy = cluster.first.guest("amy", "hall").await;
    let ben_there = cluster.second.guest("ben", "hall").await;
    assert_eq!(amy.presence(), [ben(true)]);
    cluster.drop_everything(true);
    let away = |is_on| cluster.losses.iter().for_each(|losses| Losses::set(&losses.roster_is_away, is_on));
    away(true);
    drop(ben_there);
    let cleo = cluster.second.guest("cleo", "hall").await;
    let dora = cluster.first.guest("dora", "hall").await;
    assert_eq!(amy.presence(), [("dora".to_owned(), true)], "people on one node know of each other");
    away(false);
    cluster.drop_everything(false);
    cluster.losses.iter().for_each(|losses| losses.interruption.notify_one());
    sleep(LONG).await;
    let mut told = amy.presence();
    told.sort();
    assert_eq!(told, [ben(false), ("cleo".to_owned(), true)]);
    assert!(cleo.presence().contains(&("dora".to_owned(), true)));
    drop(dora);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_the_roster_is_told_anew_is_offline_afterwards() {
    let cluster = Cluster::start();
    let amy = cluster.first.guest("amy", "hall").await;
    let leaving = cluster.second.guest("ben", "hall").await;
    assert_eq!(amy.presence(), [ben(true)]);
    Losses::set(&cluster.losses[1].has_forgotten, true);
    sleep(ServiceConfig::default().node_lasts / 3).await;
    drop(leaving);
    sleep(LONG).await;
    assert_eq!(amy.presence(), [ben(false)]);
}

#[tokio::test(start_paused = true)]
async fn typing_ends_where_the_typist_can_say_so_no_more() {
    let Cluster { first, second, .. } = Cluster::start();
    let amy = first.guest("amy", "hall").await;
    let ben = second.guest("ben", "hall").await;
    amy.presence();
    ben.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
    assert!(matches!(amy.hear().await, Event::TypingChanged(typing) if typing.is_typing));
    second.driving.abort();
    assert!(matches!(amy.hear().await, Event::TypingChanged(typing) if !typing.is_typing));
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_room_while_nodes_do_not_hear_of_each_other_carries_it_when_they_do() {
    let cluster = Cluster::start();
    let ben_there = cluster.second.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let amy = cluster.first.guest("amy", "hall").await;
    cluster.drop_everything(true);
    drop(cluster.first.guest("ben", "hall").await);
    cluster.drop_everything(false);
    cluster.losses[1].interruption.notify_one();
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    amy.say("hello").await;
    assert_eq!(ben_there.hear_message().await, "hello");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_is_removed_on_one_node_is_put_out_on_the_other() {
    let mut config = ServiceConfig::default();
    config.members_checked_every = Duration::from_hours(24);
    let cluster = Cluster::with(&config);
    let user = cluster.storage.ensure_user(&Username::new("ben").unwrap()).await.unwrap();
    let den = den(&cluster.storage, &[&user]).await;
    let ben = cluster.second.user(&user, "den", Behavior::ONE_ROOM).await.unwrap();
    cluster.first.service.remove_member(den.id, user.id).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(ben.inbox.is_closed());
    assert!(ben.try_say("still here").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_room_on_one_node_carries_it_on_the_other() {
    let Cluster { first, second, .. } = Cluster::start();
    let ben_there = second.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let amy = first.guest("amy", "hall").await;
    drop(first.guest("ben", "hall").await);
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    amy.say("hello").await;
    assert_eq!(ben_there.hear_message().await, "hello");
    assert_eq!(start.elapsed(), Duration::ZERO);
    timeout(LONG, second.guest("cat", "attic")).await.expect("who comes next comes in, too");
    second.service.close();
    timeout(LONG, second.driving).await.unwrap().unwrap();
}
