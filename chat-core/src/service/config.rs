//! What a service can be told beforehand.

use std::sync::Arc;
use std::time::Duration;

use crate::observer::{Nobody, Observer};

/// How a service behaves. Start from [`ServiceConfig::default`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// Messages in a page of history when the client does not say how many. Default 50.
    pub history_page: u32,
    /// Most messages in a page of history, whatever the client says. Default 200.
    pub max_history_page: u32,
    /// How long somebody counts as typing after saying so. Default 6 seconds.
    pub typing_lasts: Duration,
    /// How long a user may be without a connection before the others are told that they are offline. Default 0: they are
    /// told at once.
    pub presence_grace: Duration,
    /// After how long without a sign of life another node counts as dead, and its users as offline. Default 12 seconds.
    pub node_lasts: Duration,
    /// How often to look whether another process has changed who is a member of what. Default 1 second.
    pub members_checked_every: Duration,
    /// How often to look whether other nodes have posted to a room what was not heard of here. Default 3 seconds.
    pub rooms_checked_every: Duration,
    /// Most messages that wait to be stored; past it, senders wait. Default 4,096.
    pub queued_messages: usize,
    /// How long a transaction may take before those who sent its messages are told that they are not confirmed. Default
    /// 10 seconds.
    pub store_within: Duration,
    /// Most messages that are stored in one transaction; twice as many may be stored and not yet delivered. Default 512.
    pub messages_per_commit: usize,
    /// Least time from the beginning of one transaction to that of the next, where the first had several messages: while many
    /// talk, more of them share a transaction, which costs less for each. Who talks alone does not wait, nor where there
    /// are [`messages_per_commit`](Self::messages_per_commit) already, or messages are on their way round a room of more than
    /// 32, beside which a commit costs little. Everybody else does, also when the service closes: a
    /// few milliseconds will do. It is kept to the nearest millisecond, as timers go. Default 0: each begins when the one before
    /// has ended.
    pub commit_interval: Duration,
    /// So many of the newest messages of each room are kept. Default `None`: all.
    pub keep_newest: Option<u32>,
    /// For how long messages are kept. Default `None`: for ever.
    pub keep_for: Option<Duration>,
    /// How often to remove what is not to be kept. Default 1 minute.
    pub pruned_every: Duration,
    /// Is told how long things take. Default: nobody.
    pub observer: Arc<dyn Observer>,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            history_page: 50,
            max_history_page: 200,
            typing_lasts: Duration::from_secs(6),
            presence_grace: Duration::ZERO,
            node_lasts: Duration::from_secs(12),
            members_checked_every: Duration::from_secs(1),
            rooms_checked_every: Duration::from_secs(3),
            queued_messages: 4096,
            store_within: Duration::from_secs(10),
            messages_per_commit: 512,
            commit_interval: Duration::ZERO,
            keep_newest: None,
            keep_for: None,
            pruned_every: Duration::from_mins(1),
            observer: Arc::new(Nobody),
        }
    }
}
