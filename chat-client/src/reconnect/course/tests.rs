//! A client against a model of a server, over connections that break anywhere: no network, no waiting.

use std::collections::{BTreeMap, BTreeSet};

use chat_protocol::{
    Command, Dialect, EncodeContext, Limits, MessageText, Person, RoomId, RoomLabel, RoomRef, Username,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::voice::Voice;

const ROOMS: i64 = 2;

/// By so many rounds everything has come to its end.
const MANY: usize = 10_000;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The client says something in a room.
    Say(i64),
    /// Somebody else does.
    Post(i64),
    /// The server takes the next frame.
    Take,
    /// The server cannot store the message of the next frame now.
    TakeNot,
    /// The client hears the next frame.
    Hear,
    /// The server says something twice.
    Stutter,
    /// The connection breaks, with all that is under way.
    Break,
    Connect,
    /// Time passes.
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let room = 1..=ROOMS;
    let step = prop_oneof![
        3 => room.clone().prop_map(Step::Say),
        2 => room.prop_map(Step::Post),
        5 => Just(Step::Take),
        1 => Just(Step::TakeNot),
        6 => Just(Step::Hear),
        1 => Just(Step::Stutter),
        1 => Just(Step::Break),
        2 => Just(Step::Connect),
        1 => Just(Step::Wait),
    ];
    vec(step, 0..200)
}

/// A message as the server has it.
#[derive(Debug, Clone)]
struct Stored {
    room: i64,
    id: i64,
    mark: Option<ClientId>,
}

/// Frames that are under way.
#[derive(Debug, Default)]
struct Pipe {
    up: VecDeque<String>,
    down: VecDeque<String>,
}

struct World {
    dialect: Dialect,
    voice: Voice,
    marks: Arc<Marks>,
    course: Course<()>,
    now: Instant,
    pipe: Option<Pipe>,
    log: Vec<Stored>,
    said: Vec<ClientId>,
    updates: VecDeque<Update>,
}

impl World {
    fn new(dialect: Dialect) -> Self {
        let marks = Arc::new(Marks::default());
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10), 1);
        let since = match dialect {
            Dialect::Group => {
                (1..=ROOMS).fold(Since::default(), |since, room| since.and_room(&by_id(room), None))
            }
            _ => Since::beginning(),
        };
        let voice = Voice { dialect, limits: Limits::default(), room: Some(by_id(1)) };
        Self {
            dialect,
            voice,
            course: Course::new(dialect.behavior(), backoff, since, Arc::clone(&marks)),
            marks,
            now: Instant::now(),
            pipe: None,
            log: Vec::new(),
            said: Vec::new(),
            updates: VecDeque::new(),
        }
    }

    /// Most dialects have one room for each connection.
    fn room(&self, room: i64) -> i64 {
        if self.dialect == Dialect::Group { room } else { 1 }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Say(room) => self.say(self.room(room)),
            Step::Post(room) => {
                let posted = self.store(self.room(room), None);
                self.tell(&posted);
            }
            Step::Take => self.take(true),
            Step::TakeNot => self.take(false),
            Step::Hear => self.hear(),
            Step::Stutter => {
                if let Some(pipe) = &mut self.pipe
                    && let Some(frame) = pipe.down.front().cloned()
                {
                    pipe.down.push_front(frame);
                }
            }
            Step::Break => {
                if self.pipe.take().is_some() {
                    assert!(self.course.disconnected(self.now) < Duration::from_secs(10));
                }
            }
            Step::Connect => self.connect(),
            Step::Wait => self.now += Duration::from_secs(1),
        }
        if let Some(pipe) = &mut self.pipe {
            pipe.up.extend(std::iter::from_fn(|| self.course.next_frame(self.now)));
        }
    }

    fn say(&mut self, room: i64) {
        let mark = self.marks.make();
        let text = MessageText::new("hi", &self.voice.limits).unwrap();
        let client_id = Some(mark.clone());
        let send = SendMessage { room: Some(by_id(room)), text, claimed_sender: None, client_id };
        let frame = self.voice.encode(Command::SendMessage(send.clone())).unwrap();
        self.course.say(Draft { frame, send: Some(send) }, ());
        self.said.push(mark);
    }

    /// What was missed comes first.
    fn connect(&mut self) {
        if self.pipe.is_some() {
            return;
        }
        self.pipe = Some(Pipe::default());
        self.course.connected(self.now);
        let since: BTreeMap<_, _> = self.course.since().places.clone();
        for missed in self.log.clone() {
            let room = (self.dialect == Dialect::Group).then(|| missed.room.to_string());
            if since[&room].is_none_or(|last| last.value() < missed.id) {
                self.tell(&missed);
            }
        }
    }

    fn take(&mut self, can_store: bool) {
        let Some(frame) = self.pipe.as_mut().and_then(|pipe| pipe.up.pop_front()) else { return };
        let Command::SendMessage(send) = self.dialect.decode_command(&frame, &self.voice.limits).unwrap()
        else {
            panic!("{frame}")
        };
        let mark = send.client_id.unwrap();
        if !can_store {
            let client_id = Some(mark);
            return self
                .write(&Event::Refused(Refusal { client_id, ..Refusal::new(ErrorCode::Unavailable) }));
        }
        let room = send.room.map_or(1, |room| room.as_id().unwrap().value());
        let before = self.log.iter().find(|stored| stored.mark.as_ref() == Some(&mark)).cloned();
        let stored = before.unwrap_or_else(|| self.store(room, Some(mark)));
        if self.dialect != Dialect::Group {
            self.tell(&stored);
        }
        self.write(&Event::MessageAccepted(message(&stored)));
    }

    fn store(&mut self, room: i64, mark: Option<ClientId>) -> Stored {
        let id = i64::try_from(self.log.len()).unwrap() + 1;
        self.log.push(Stored { room, id, mark });
        self.log.last().unwrap().clone()
    }

    fn tell(&mut self, stored: &Stored) {
        let room = RoomLabel { id: RoomId::new(stored.room).ok(), ..RoomLabel::default() };
        self.write(&Event::MessagePosted(MessagePosted { room, message: message(stored) }));
    }

    fn write(&mut self, event: &Event) {
        let frame = self.dialect.encode_event(event, &EncodeContext::default());
        if let Some(pipe) = &mut self.pipe {
            pipe.down.extend(frame);
        }
    }

    fn hear(&mut self) {
        let Some(frame) = self.pipe.as_mut().and_then(|pipe| pipe.down.pop_front()) else { return };
        let event = self.dialect.decode_event(&frame).unwrap();
        self.course.hear(event, self.now, &mut self.updates);
    }

    /// Lets everything come to its end.
    fn settle(&mut self) {
        self.step(Step::Connect);
        for _ in 0..MANY {
            if self.course.unsettled() == 0 && self.pipe.as_ref().is_none_or(|pipe| pipe.down.is_empty()) {
                return;
            }
            self.step(Step::Wait);
            self.step(Step::Take);
            self.step(Step::Hear);
        }
        panic!("it comes to no end");
    }

    fn check(&self) {
        let own: BTreeSet<&str> = self.said.iter().map(ClientId::as_str).collect();
        let is_told = |stored: &&Stored| {
            self.dialect != Dialect::Group
                || stored.mark.as_ref().is_none_or(|mark| !own.contains(mark.as_str()))
        };
        for room in 1..=ROOMS {
            let is_here = |stored: &&Stored| stored.room == room;
            let stored: Vec<i64> =
                self.log.iter().filter(is_here).filter(is_told).map(|stored| stored.id).collect();
            let heard: Vec<i64> = self.updates.iter().filter_map(|update| heard_in(update, room)).collect();
            assert_eq!(heard, stored, "each message once and in order");
        }
        let stored: Vec<&str> =
            self.log.iter().filter_map(|stored| stored.mark.as_ref()).map(ClientId::as_str).collect();
        assert_eq!(stored.len(), self.said.len(), "each send is stored once");
        assert_eq!(stored.iter().copied().collect::<BTreeSet<_>>(), own);
        let confirmed: Vec<&str> = self.updates.iter().filter_map(confirmed).collect();
        assert_eq!(confirmed.len(), own.len(), "each send is confirmed once");
        assert_eq!(confirmed.into_iter().collect::<BTreeSet<_>>(), own);
        assert_eq!(self.course.unconfirmed().count(), 0);
    }
}

fn by_id(room: i64) -> RoomRef {
    RoomRef::Id(RoomId::new(room).unwrap())
}

fn message(stored: &Stored) -> Message {
    Message {
        id: MessageId::new(stored.id).ok(),
        sender: Person { id: None, name: Username::new("amy").ok() },
        text: "hi".into(),
        sent_at: None,
        is_read: None,
        client_id: stored.mark.clone(),
    }
}

/// The id of a message that was heard in a room. Dialects of one room do not say which that is.
fn heard_in(update: &Update, room: i64) -> Option<i64> {
    let Update::Event(Event::MessagePosted(posted)) = update else { return None };
    let of = posted.room.id.map_or(1, RoomId::value);
    posted.message.id.map(MessageId::value).filter(|_| of == room)
}

fn confirmed(update: &Update) -> Option<&str> {
    let Update::Confirmed(confirmed) = update else { return None };
    Some(confirmed.client_id.as_str())
}

proptest! {
    #[test]
    fn whatever_breaks_each_message_is_heard_once_and_each_send_stored_once(
        dialect in select(Dialect::ALL),
        steps in steps(),
    ) {
        let mut world = World::new(dialect);
        for step in steps {
            world.step(step);
        }
        world.settle();
        world.check();
    }
}

fn refusal(code: ErrorCode, mark: Option<&ClientId>) -> Event {
    Event::Refused(Refusal { client_id: mark.cloned(), ..Refusal::new(code) })
}

#[test]
fn what_is_refused_for_good_is_told_and_not_sent_again() {
    let mut world = World::new(Dialect::Typed);
    world.step(Step::Connect);
    world.step(Step::Say(1));
    let mark = world.said[0].clone();
    world.course.hear(refusal(ErrorCode::MessageTooLong, Some(&mark)), world.now, &mut world.updates);
    assert!(matches!(world.updates.pop_front(), Some(Update::Event(Event::Refused(_)))));
    assert_eq!(world.course.unsettled(), 0);
}

#[test]
fn what_cannot_be_stored_now_is_sent_again_later() {
    let mut world = World::new(Dialect::Typed);
    world.step(Step::Connect);
    world.step(Step::Say(1));
    world.step(Step::TakeNot);
    world.step(Step::Hear);
    assert!(world.updates.is_empty(), "there is nothing that anybody must know of");
    let until = world.course.wakes_at().unwrap();
    assert!(until >= world.now);
    world.now = until;
    assert!(world.course.next_frame(world.now).is_some() && world.course.next_frame(world.now).is_none());
}

/// The marks of the messages that go out, in that order.
fn marks_of(world: &World, frames: impl IntoIterator<Item = String>) -> Vec<ClientId> {
    let mark_of = |frame: String| {
        let command = world.dialect.decode_command(&frame, &world.voice.limits).unwrap();
        let Command::SendMessage(send) = command else { panic!("{frame}") };
        send.client_id.unwrap()
    };
    frames.into_iter().map(mark_of).collect()
}

#[test]
fn what_cannot_be_stored_now_is_sent_again_in_order() {
    // However the waits turn out.
    for seed in 0..50 {
        let mut world = World::new(Dialect::Typed);
        world.course.backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10), seed);
        world.step(Step::Connect);
        for _ in 0..3 {
            world.step(Step::Say(1));
        }
        for mark in world.said.clone() {
            world.course.hear(refusal(ErrorCode::Unavailable, Some(&mark)), world.now, &mut world.updates);
        }
        world.say(1);
        let mut frames = Vec::new();
        while let Some(until) = world.course.wakes_at() {
            assert!(until > world.now, "what is due has gone out");
            world.now = until;
            frames.extend(std::iter::from_fn(|| world.course.next_frame(world.now)));
        }
        assert_eq!(marks_of(&world, frames), world.said);
    }
}

#[test]
fn what_is_no_message_does_not_wait_for_one_that_rests() {
    let mut world = World::new(Dialect::Typed);
    for step in [Step::Connect, Step::Say(1), Step::TakeNot] {
        world.step(step);
    }
    world.hear();
    let until = world.course.wakes_at();
    let frame = world.voice.encode(Command::MarkRead).unwrap();
    world.course.say(Draft { frame: frame.clone(), send: None }, ());
    assert_eq!(world.course.next_frame(world.now), Some(frame));
    assert!(world.course.next_frame(world.now).is_none());
    assert_eq!(world.course.wakes_at(), until);
}

#[test]
fn where_one_cannot_go_on_is_told() {
    let mut world = World::new(Dialect::Plain);
    let last = MessageId::new(1_000).unwrap();
    world.course.places = Places::new(world.dialect.behavior().scope, Since::message(last));
    world.course.hear(refusal(ErrorCode::CannotResume, None), world.now, &mut world.updates);
    assert!(matches!(world.updates.pop_front(), Some(Update::Event(Event::Refused(_)))));
    world.step(Step::Post(1));
    world.connect();
    world.tell(&world.log[0].clone());
    world.hear();
    assert_eq!(world.updates.iter().filter_map(|update| heard_in(update, 1)).collect::<Vec<_>>(), [1]);
}

#[test]
fn nobody_elses_message_is_taken_for_ones_own() {
    let mut world = World::new(Dialect::Group);
    let guessed = Marks::default().make();
    world.step(Step::Connect);
    let stored = world.store(1, Some(guessed));
    world.tell(&stored);
    world.hear();
    assert_eq!(world.updates.iter().filter_map(|update| heard_in(update, 1)).collect::<Vec<_>>(), [1]);
}

#[test]
fn only_a_connection_that_has_lasted_lets_the_waits_begin_anew() {
    let mut course = World::new(Dialect::Typed).course;
    let mut now = Instant::now();
    let longest = |course: &mut Course<()>, now: &mut Instant, lasts: Duration| {
        (0..50)
            .map(|_| {
                course.connected(*now);
                *now += lasts;
                course.disconnected(*now)
            })
            .max()
            .unwrap()
    };
    assert!(longest(&mut course, &mut now, Duration::from_secs(1)) > Duration::from_secs(1));
    assert!(longest(&mut course, &mut now, Duration::from_secs(10)) < Duration::from_millis(100));
}
