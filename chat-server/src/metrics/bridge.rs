//! What is dropped on the bridge to Django Channels.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Why a message did not come over the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// To Django: an inbox there had as many messages as it may have.
    InboxFull,
    /// To Django: it was not taken out of an inbox there in time.
    Expired,
    /// To Django: Redis would not have it.
    NotTaken,
    /// To Django: more came than may wait while Redis is away.
    Unsent,
    /// From Django: more came than may wait while it is stored.
    Unheard,
    /// From Django: it cannot be read.
    Unreadable,
    /// From Django: it is no message that a room can have.
    NotStored,
    /// From Django: the server stopped before the database was back.
    Stopped,
}

impl Dropped {
    const ALL: [Self; 8] = [
        Self::InboxFull,
        Self::Expired,
        Self::NotTaken,
        Self::Unsent,
        Self::Unheard,
        Self::Unreadable,
        Self::NotStored,
        Self::Stopped,
    ];

    const fn labels(self) -> Labels {
        let (direction, reason) = match self {
            Self::InboxFull => ("to_django", "inbox_full"),
            Self::Expired => ("to_django", "expired"),
            Self::NotTaken => ("to_django", "refused"),
            Self::Unsent => ("to_django", "too_many"),
            Self::Unheard => ("from_django", "too_many"),
            Self::Unreadable => ("from_django", "unreadable"),
            Self::NotStored => ("from_django", "refused"),
            Self::Stopped => ("from_django", "stopped"),
        };
        Labels { direction, reason }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    direction: &'static str,
    reason: &'static str,
}

/// Counts what is dropped. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drops {
    dropped: Family<Labels, Counter>,
    own_inbox_full: Counter,
}

impl Drops {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Messages that did not come over the bridge to Django Channels, and why";
        registry.register("django_channels_dropped", help, self.dropped.clone());
        let help = "Times that the inbox of the bridge was found full: meanwhile Django drops what it sends";
        registry.register("django_channels_own_inbox_full", help, self.own_inbox_full.clone());
    }

    /// Shows every reason, also those for which nothing was dropped yet.
    pub(super) fn show(&self) {
        for dropped in Dropped::ALL {
            self.count(dropped, 0);
        }
    }

    pub(crate) fn count(&self, why: Dropped, messages: u64) {
        self.dropped.get_or_create(&why.labels()).inc_by(messages);
    }

    /// The inbox of the bridge itself was full, so that Django may have dropped something.
    pub(crate) fn own_inbox_full(&self) {
        self.own_inbox_full.inc();
    }
}
