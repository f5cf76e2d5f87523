//! How a client comes in: who it is, where it goes, and what it hears from then on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_protocol::{Arrival as OnArrival, Behavior, ErrorCode, Event, Refusal, RoomRef, Scope, Since};
use parking_lot::Mutex;

use super::catch_up::CatchUp;
use super::presence::Occasion;
use super::session::{Place, Session};
use super::{ChatService, Inner};
use crate::hub::{Connection, Resumption, Trust};
use crate::storage::{Access, Joining, Room, User};
use crate::{ConnectError, Identity, Novelty, StorageError, Topic, Transport};

/// A client that wants to come in.
#[derive(Debug)]
pub struct Arrival {
    /// Who it is.
    pub identity: Identity,
    /// Where it wants to go.
    pub target: Target,
    /// How it wants to be treated; `None` where that shows only [later](Session::adopt).
    pub behavior: Option<Behavior>,
    /// How events reach it.
    pub transport: Arc<dyn Transport>,
}

/// Where a client wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into a room.
    Room(RoomRef),
    /// To the listener socket: it hears of every room that it may know of, and says nothing.
    Listener,
}

impl ChatService {
    /// Lets a client in.
    ///
    /// A guest's room is made where there is none. Whoever has a name becomes a member of the open room that they enter.
    /// Events may reach the transport before this returns.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: there is no such room (or one may not enter it), storage fails, or the service is closed.
    pub async fn connect(&self, arrival: Arrival) -> Result<Session, ConnectError> {
        self.admit(arrival, Resumption::default()).await
    }

    /// Lets a client in that comes back: it wants what was posted since it was here last.
    ///
    /// As [`connect`](Self::connect), but of the rooms that it wants to resume, it hears what it has missed first, and then
    /// what is posted, each message once and in order. The [`CatchUp`] does that, and must be run beside the session. Rooms
    /// of which `since` says nothing are heard as always.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn resume(
        &self,
        arrival: Arrival,
        since: Vec<Since>,
    ) -> Result<(Session, CatchUp), ConnectError> {
        let (resumption, to_read) = Resumption::new(since);
        let session = self.admit(arrival, resumption).await?;
        let catch_up = CatchUp::new(Arc::clone(&self.0), Arc::clone(&session.connection), to_read);
        Ok((session, catch_up))
    }

    async fn admit(&self, arrival: Arrival, resumption: Resumption) -> Result<Session, ConnectError> {
        let Arrival { identity, target, behavior, transport } = arrival;
        let inner = &self.0;
        if *inner.is_closing.borrow() {
            return Err(ConnectError::Closed);
        }
        let (trust, user) = inner.identify(identity).await?;
        let place = match target {
            Target::Room(reference) => {
                let room = inner.room_to_enter(&reference, trust, user.as_ref()).await?;
                Place::Room(room.ok_or(ConnectError::UnknownRoom)?)
            }
            Target::Listener => Place::Listener,
        };
        let home = match &place {
            Place::Room(room) => Some(room.id),
            Place::Listener => None,
        };
        let id = inner.next_connection_id();
        let connection = Arc::new(Connection::new(id, home, trust, transport, resumption));
        // From here on the session's drop takes back whatever has been done, also where this is given up half-way.
        let session = Session {
            inner: Arc::clone(inner),
            connection,
            place,
            claimed: Mutex::default(),
            is_unsettled: AtomicBool::new(false),
        };
        session.arrive(user, behavior).await?;
        session.check_again().await?;
        Ok(session)
    }
}

impl Session {
    async fn arrive(&self, user: Option<User>, behavior: Option<Behavior>) -> Result<(), StorageError> {
        let Self { inner, connection, .. } = self;
        // Before it hears anything: nobody is told of their own coming and going, also not that they have just gone
        // with a connection before this one.
        if let Some(user) = &user {
            self.take_name(user);
        }
        match &self.place {
            Place::Room(room) => inner.enter(room, connection).await?,
            Place::Listener => {
                let topic = if user.is_some() { Topic::Listeners } else { Topic::OpenListeners };
                inner.subscribe(topic, connection).await;
            }
        }
        if let Some(user) = user {
            self.come_forward(user).await?;
        }
        if let Some(behavior) = behavior {
            self.adopt(behavior).await?;
        }
        Ok(())
    }

    /// Looks once more whether one may be here: who was removed while they came in was not yet there to be put out.
    async fn check_again(&self) -> Result<(), ConnectError> {
        let Place::Room(room) = &self.place else { return Ok(()) };
        if room.access == Access::Open {
            return Ok(());
        }
        let user = self.connection.user.get();
        match self.inner.accessible_room(&RoomRef::Id(room.id), self.connection.trust, user).await? {
            Some(_) => Ok(()),
            None => Err(ConnectError::UnknownRoom),
        }
    }

    /// Treats the connection as its dialect wants it, once that has shown. Only the first call counts.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn adopt(&self, behavior: Behavior) -> Result<(), StorageError> {
        if self.connection.behavior.set(behavior).is_err() {
            return Ok(());
        }
        self.settle_scope().await?;
        self.refuse_the_rest();
        if behavior.arrival == OnArrival::ReadsAll
            && let (Place::Room(room), Some(user)) = (&self.place, self.connection.user.get())
            && let Err(error) = self.inner.read_all(room, user).await
        {
            // No reason to refuse somebody who only wants to read.
            tracing::warn!(error = &error as &dyn std::error::Error, "messages are not marked as read");
        }
        Ok(())
    }

    /// Tells the client of which rooms it can resume nothing, because it does not carry them.
    fn refuse_the_rest(&self) {
        for _ in self.connection.resumption.take_rest() {
            let refusal = Refusal { field: Some("since".into()), ..Refusal::new(ErrorCode::NotAMember) };
            self.connection.deliver(&Event::Refused(refusal));
        }
    }

    /// Ties the connection to a guest whose first frame gives a name; later ones do not count.
    pub(super) async fn name(&self, user: User) -> Result<(), StorageError> {
        match self.take_name(&user) {
            Novelty::Changed => self.come_forward(user).await,
            Novelty::Unchanged => Ok(()),
        }
    }

    fn take_name(&self, user: &User) -> Novelty {
        if self.connection.user.set(user.clone()).is_err() {
            return Novelty::Unchanged;
        }
        // Counted at once: the session's drop counts back whoever has a name.
        if let Place::Room(_) = &self.place {
            self.inner.presence.lock().arrive(user);
        }
        Novelty::Changed
    }

    /// Lets the connection hear what belongs to its user, and others that the user is there.
    async fn come_forward(&self, user: User) -> Result<(), StorageError> {
        if let Place::Room(room) = &self.place {
            self.settle_scope().await?;
            self.settle_membership(room, &user).await?;
            // The others hear that somebody is there before they hear anything else of them.
            self.inner.tell_presence(user).await;
        }
        Ok(())
    }

    /// Makes the user of the connection a member of its room. Where it fails, it is to be done again.
    async fn settle_membership(&self, room: &Room, user: &User) -> Result<(), StorageError> {
        self.is_unsettled.store(true, Ordering::Relaxed);
        self.join(room, user).await?;
        self.is_unsettled.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Makes somebody a member of an open room. Their connections that carry all their rooms carry it from now on.
    pub(super) async fn join(&self, room: &Room, user: &User) -> Result<(), StorageError> {
        if room.access != Access::Open {
            return Ok(());
        }
        let inner = &self.inner;
        if inner.storage.join(room.id, user.id).await? == Joining::AlreadyMember {
            return Ok(());
        }
        let connection = self.id();
        tracing::info!(target: "audit", action = "join", connection, user = %user.name, room = %room.name);
        inner.see_to(Occasion::Member { user: user.clone(), room: room.id });
        inner.carry(room, user.id).await;
        Ok(())
    }

    /// Lets the connection hear what belongs to its user, as far as its behaviour asks for that. While the behaviour
    /// is unknown, it may. Where it fails, it is to be done again.
    async fn settle_scope(&self) -> Result<(), StorageError> {
        let Self { inner, connection, .. } = self;
        let (Some(user), Place::Room(_)) = (connection.user.get(), &self.place) else { return Ok(()) };
        self.is_unsettled.store(true, Ordering::Relaxed);
        let topic = Topic::User(user.id);
        match connection.behavior.get().map(|behavior| behavior.scope) {
            None => inner.subscribe(topic, connection).await,
            Some(Scope::Room) => inner.unsubscribe(topic, connection),
            Some(Scope::User) => {
                inner.subscribe(topic, connection).await;
                inner.enter_all(connection, user.id).await?;
            }
        }
        self.is_unsettled.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Does what storage did not let the connection do before, where there is such a thing.
    pub(super) async fn settle_rest(&self) -> Result<(), StorageError> {
        if !self.is_unsettled.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Boxed, as everything that is rarely so: each call on the way of a message hands on all that it may have to hold.
        Box::pin(async {
            self.settle_scope().await?;
            if let (Place::Room(room), Some(user)) = (&self.place, self.connection.user.get()) {
                self.settle_membership(room, user).await?;
            }
            self.refuse_the_rest();
            Ok(())
        })
        .await
    }
}

impl Inner {
    async fn identify(&self, identity: Identity) -> Result<(Trust, Option<User>), StorageError> {
        match identity {
            Identity::User(user) => Ok((Trust::Proven, Some(user))),
            Identity::Guest { name } => {
                let name = name.filter(|name| !name.is_anonymous());
                let user = match name {
                    Some(name) => Some(self.storage.ensure_user(&name).await?),
                    None => None,
                };
                Ok((Trust::Guest, user))
            }
        }
    }

    /// The room that somebody may enter under this reference. A guest's room is made on first use, under the very name
    /// that was asked for: among rooms that anybody can make, a number that named another room's id would lead
    /// strangers into each other's rooms.
    async fn room_to_enter(
        &self,
        reference: &RoomRef,
        trust: Trust,
        user: Option<&User>,
    ) -> Result<Option<Room>, StorageError> {
        if trust == Trust::Guest
            && let RoomRef::Name(name) = reference
        {
            let room = match self.hub.room_named(name) {
                Some(heard) => Some(heard),
                // It would look like another. One that was made before this rule is entered still.
                None if name.check_new().is_err() => self.storage.room_named(name).await?,
                None => Some(self.storage.ensure_room(name).await?),
            };
            return Ok(room.filter(|room| room.access == Access::Open));
        }
        self.accessible_room(reference, trust, user).await
    }

    /// The existing room of this reference, where one may enter it: a name first, then, if numeric, an id.
    pub(super) async fn accessible_room(
        &self,
        reference: &RoomRef,
        trust: Trust,
        user: Option<&User>,
    ) -> Result<Option<Room>, StorageError> {
        let named = match reference {
            RoomRef::Name(name) => match self.hub.room_named(name) {
                Some(heard) => Some(heard),
                None => self.storage.room_named(name).await?,
            },
            RoomRef::Id(_) => None,
        };
        let found = match (named, reference.as_id()) {
            (None, Some(id)) => self.storage.room(id).await?,
            (named, _) => named,
        };
        let Some(room) = found else { return Ok(None) };
        let may_enter = match (room.access, trust, user) {
            (Access::Open, _, _) => true,
            (Access::MembersOnly, Trust::Proven, Some(user)) => {
                self.storage.is_member(room.id, user.id).await?
            }
            (Access::MembersOnly, _, _) => false,
        };
        Ok(may_enter.then_some(room))
    }
}
