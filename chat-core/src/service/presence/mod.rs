//! Tells who comes online and who goes offline, in a loop of its own.
//!
//! Whether somebody is online anywhere, the roster of the cluster says; who changes that, tells the rooms. Each node keeps
//! what it has told each room, so that nobody hears the same twice, whoever else tells it. Where something may have been
//! lost, the roster is asked about all members of the rooms concerned.
//!
//! While the roster is away, those who come are told to their rooms on this node only, and those who leave stay online:
//! they may be connected elsewhere. Once it is back, it is told, and asked.

mod doubted;

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::time::Duration;

use chat_protocol::{RoomId, UserId};
use futures::future::join_all;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{Inner, reached};
use crate::storage::User;
use crate::{Content, Moment, Novelty, Pulse, RosterAway, Standing, StorageError, Topic};

pub(super) use doubted::DoubtedRooms;

/// Users that the roster is told of, or asked about, at once.
const USERS_AT_ONCE: usize = 256;

/// Users of whom it is told together that they are gone: others wait meanwhile.
const GONE_AT_ONCE: usize = 32;

/// How often a node gives a sign of life before it counts as dead without one.
const BEATS: u32 = 4;

/// How long to wait after a failure before something is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What may change who is online, and for whom.
#[derive(Debug)]
pub(crate) enum Occasion {
    /// A user has a connection more, or one less. Seen to, it drops the sender.
    Connection { user: User, seen_to: Option<oneshot::Sender<()>> },
    /// A user has become a member of a room.
    Member { user: User, room: RoomId },
}

impl Inner {
    /// Has something seen to. After the driver has ended there is nobody left to tell.
    pub(super) fn see_to(&self, occasion: Occasion) {
        if self.occasions.send(occasion).is_err() {
            tracing::debug!("the service is closed; nobody is told who comes and goes");
        }
    }

    /// Tells that a user has a connection more; waits until that is told.
    pub(super) async fn tell_presence(&self, user: User) {
        let (sender, seen_to) = oneshot::channel();
        self.see_to(Occasion::Connection { user, seen_to: Some(sender) });
        // Ends when the driver drops its half: it has no more to say than that.
        drop(seen_to.await);
    }
}

/// Does so until the last commit is done, and nothing more happens.
pub(super) async fn run(
    inner: &Inner,
    mut occasions: mpsc::UnboundedReceiver<Occasion>,
    mut committing: watch::Receiver<()>,
) {
    let mut beats = interval(inner.config.node_lasts / BEATS);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keeper = Keeper::new(inner, beats);
    let mut batch = Vec::new();
    loop {
        let departure = inner.presence.lock().next_departure();
        tokio::select! {
            biased;
            // First: who gives no sign of life counts as dead.
            _ = keeper.beats.tick() => {
                keeper.beat().await;
                // However long it took to find that the roster is away, others have their turn.
                keeper.beats.reset();
            }
            // Before departures, which wait for it.
            () = reached(keeper.unsteady_until) => keeper.settle(),
            received = occasions.recv_many(&mut batch, USERS_AT_ONCE) => {
                if received == 0 {
                    break;
                }
                keeper.see_to(batch.drain(..)).await;
            }
            () = reached(departure) => keeper.depart().await,
            () = ready(()), if !keeper.gone.is_empty() => keeper.see_off().await,
            () = inner.doubted_rooms.found.notified() => keeper.begin_to_look().await,
            _ = committing.changed(), if !occasions.is_closed() => occasions.close(),
            () = ready(()), if !keeper.doubted.is_empty() => keeper.look_into_rooms().await,
        }
    }
    keeper.end().await;
}

struct Keeper<'a> {
    inner: &'a Inner,
    beats: Interval,
    has_beaten: bool,
    /// Until then, other nodes may not have told the roster yet what it has forgotten.
    unsteady_until: Option<Instant>,
    /// Users of whom some rooms were not told, because storage failed.
    untold: HashMap<UserId, User>,
    /// Of them, those whom storage could not name.
    unnamed: Vec<(UserId, Standing)>,
    /// Rooms on this node that may have missed something.
    doubted: VecDeque<RoomId>,
    /// Those who were on nodes that give no sign of life any more, and are nowhere else.
    gone: VecDeque<(UserId, Standing)>,
}

impl<'a> Keeper<'a> {
    fn new(inner: &'a Inner, beats: Interval) -> Self {
        Self {
            inner,
            beats,
            has_beaten: false,
            unsteady_until: None,
            untold: HashMap::new(),
            gone: VecDeque::new(),
            unnamed: Vec::new(),
            doubted: VecDeque::new(),
        }
    }

    async fn see_to(&mut self, occasions: impl Iterator<Item = Occasion>) {
        let mut seen_to = Vec::new();
        let mut arrivals = HashMap::new();
        for occasion in occasions {
            match occasion {
                Occasion::Connection { user, seen_to: sender } => {
                    seen_to.extend(sender);
                    if self.inner.presence.lock().has_arrived(user.id) {
                        arrivals.insert(user.id, user);
                    }
                }
                Occasion::Member { user, room } => self.tell_new_member(&user, room).await,
            }
        }
        self.enter(&arrivals.into_values().collect::<Vec<_>>()).await;
        drop(seen_to);
    }

    /// Tells the roster who is here, and the rooms, where that is news.
    async fn enter(&mut self, users: &[User]) {
        if users.is_empty() {
            return;
        }
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let Ok(answers) = self.inner.layer.enter(&ids).await else {
            let here = Standing { is_online: true, as_of: Moment::UNKNOWN };
            join_all(users.iter().map(|user| self.tell_rooms(user, here))).await;
            // It may know by now, and say no more that it is news.
            self.untold.extend(users.iter().map(|user| (user.id, user.clone())));
            return;
        };
        self.inner.presence.lock().enter(&ids);
        let news = users.iter().zip(answers).filter(|(_, (_, novelty))| *novelty == Novelty::Changed);
        self.announce(news.map(|(user, (standing, _))| (user.clone(), standing)).collect()).await;
    }

    /// Tells the roster that somebody is not here any more, and the rooms, where they are nowhere else.
    async fn depart(&mut self) {
        let now = Instant::now();
        let Some(user) = self.inner.presence.lock().pop_departed(now) else { return };
        if let Some(steady) = self.unsteady_until {
            self.inner.presence.lock().put_back(user, steady);
            return;
        }
        if self.leave(&user).await.is_err() {
            self.inner.presence.lock().put_back(user, now + TRY_AGAIN_AFTER);
        }
    }

    async fn leave(&mut self, user: &User) -> Result<(), RosterAway> {
        let standing = self.inner.layer.leave(user.id).await?;
        if !standing.is_online {
            self.record_last_seen(user.id).await;
            self.announce(vec![(user.clone(), standing)]).await;
        }
        Ok(())
    }

    /// Gives a sign of life, and hears what has become of others that gave none.
    async fn beat(&mut self) {
        let Ok(pulse) = self.inner.layer.beat(self.inner.config.node_lasts).await else { return };
        self.note_gone(&pulse);
        if !pulse.is_known {
            self.inner.presence.lock().forget_entered();
            if self.has_beaten {
                self.unsteady_until = Some(Instant::now() + self.inner.config.node_lasts / 2);
            }
        }
        self.has_beaten = true;
        self.gone.extend(self.unnamed.drain(..));
        let arrivals = self.inner.presence.lock().arrivals();
        for users in arrivals.chunks(USERS_AT_ONCE) {
            self.enter(users).await;
        }
        self.tell_untold().await;
    }

    fn note_gone(&mut self, pulse: &Pulse) {
        let gone = Standing { is_online: false, as_of: pulse.as_of };
        self.gone.extend(pulse.gone.iter().map(|user| (*user, gone)));
    }

    /// Tells of some of those who are gone. When a node dies, they are many, and come back elsewhere at once: who does
    /// has their turn in between.
    async fn see_off(&mut self) {
        let some: Vec<_> = self.gone.drain(..self.gone.len().min(GONE_AT_ONCE)).collect();
        let users = join_all(some.iter().map(|(user, _)| self.record_gone(*user))).await;
        let mut named = Vec::new();
        for (found, (user, standing)) in users.into_iter().zip(some) {
            match found {
                Ok(user) => named.extend(user.map(|user| (user, standing))),
                // The roster does not say it again.
                Err(error) => {
                    warn(&error);
                    self.unnamed.push((user, standing));
                }
            }
        }
        self.announce(named).await;
        if self.gone.is_empty() && self.unnamed.is_empty() {
            // There may be more: the roster does not name all at once.
            self.beats.reset_immediately();
        }
    }

    async fn record_gone(&self, user: UserId) -> Result<Option<User>, StorageError> {
        self.record_last_seen(user).await;
        self.inner.storage.user(user).await
    }

    /// Tells the rooms of users how they stand, on all nodes. What storage does not let it tell, it tells later.
    async fn announce(&mut self, standings: Vec<(User, Standing)>) {
        let told = join_all(standings.iter().map(|(user, standing)| self.tell_rooms(user, *standing))).await;
        for ((user, _), told) in standings.into_iter().zip(told) {
            if let Err(error) = told {
                warn(&error);
                self.untold.insert(user.id, user);
            }
        }
    }

    async fn tell_rooms(&self, user: &User, standing: Standing) -> Result<(), StorageError> {
        for room in self.inner.storage.rooms_of(user.id, None).await? {
            self.tell(room.id, user, standing);
        }
        Ok(())
    }

    fn tell(&self, room: RoomId, user: &User, standing: Standing) {
        self.inner.hub.tell_presence(room, user, standing);
        if standing.as_of != Moment::UNKNOWN {
            let presence = || Content::Presence { user: user.clone(), standing };
            self.inner.publish_with(Topic::Room(room), presence);
        }
    }

    async fn tell_untold(&mut self) {
        let users: Vec<_> = std::mem::take(&mut self.untold).into_values().collect();
        for users in users.chunks(USERS_AT_ONCE) {
            let ids: Vec<_> = users.iter().map(|user| user.id).collect();
            match self.inner.layer.standings(&ids).await {
                Ok(standings) => self.announce(users.iter().cloned().zip(standings).collect()).await,
                Err(RosterAway) => self.untold.extend(users.iter().map(|user| (user.id, user.clone()))),
            }
        }
    }

    async fn tell_new_member(&self, user: &User, room: RoomId) {
        match self.inner.layer.standings(&[user.id]).await.as_deref() {
            Ok([standing]) if standing.is_online => self.tell(room, user, *standing),
            Err(RosterAway) if self.inner.presence.lock().is_here(user.id) => {
                self.tell(room, user, Standing { is_online: true, as_of: Moment::UNKNOWN });
            }
            Ok(_) | Err(RosterAway) => {}
        }
    }

    /// From now on, who is not in the roster is offline.
    fn settle(&mut self) {
        self.unsteady_until = None;
        self.inner.doubted_rooms.found.notify_one();
    }

    async fn record_last_seen(&self, user: UserId) {
        if let Err(error) = self.inner.storage.record_last_seen(user, self.inner.clock.now()).await {
            warn(&error);
        }
    }

    /// Nobody is here any more. Who comes back to another node within the time that short absences are allowed was not
    /// away: other nodes find out who does not.
    async fn end(mut self) {
        let grace = self.inner.config.presence_grace;
        let pulse = if grace.is_zero() { None } else { self.inner.layer.beat(grace).await.ok() };
        if let Some(pulse) = &pulse {
            self.note_gone(pulse);
        }
        while !self.gone.is_empty() {
            self.see_off().await;
        }
        if pulse.is_some_and(|pulse| !pulse.is_alone) {
            return;
        }
        let departing = self.inner.presence.lock().take_departing();
        for user in departing {
            if self.leave(&user).await.is_err() {
                self.record_last_seen(user.id).await;
            }
        }
    }
}

fn warn(error: &StorageError) {
    tracing::warn!(error = error as &dyn std::error::Error, "somebody was not told who is online");
}
