//! What the front ends of a dialect rely on, besides the form of the frames.

/// How the server treats a connection because of its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behavior {
    /// Which rooms the connection hears.
    pub scope: Scope,
    /// Whether it hears its own messages.
    pub echo: Echo,
    /// What connecting does to the read mark.
    pub arrival: Arrival,
    /// The parameter of the handshake's query in which its front ends name their user.
    pub user_parameter: &'static str,
}

/// Which rooms a connection hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The room of its path.
    Room,
    /// Every room that its user is a member of, and the user's notifications.
    User,
}

/// Whether a connection hears the messages that it sends itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It does; the page draws what comes back.
    ToSender,
    /// It does not; the page has drawn the message already. The sender's other connections do.
    ToOtherConnections,
}

/// What connecting does to the read mark of the user in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing.
    ReadsNothing,
    /// Everything there is counts as read.
    ReadsAll,
}

impl Behavior {
    /// That of most dialects: one room, with echo.
    pub const ONE_ROOM: Self = Self {
        scope: Scope::Room,
        echo: Echo::ToSender,
        arrival: Arrival::ReadsNothing,
        user_parameter: "username",
    };
}
