//! Who is connected to which node, kept in Redis.
//!
//! A set for each node, of its users; a set for each user, of the nodes; and when each node counts as dead. What belongs
//! together is changed by one script, and all by the clock of Redis. The names of all keys have the same part in braces,
//! so that a Redis Cluster keeps them on one of its nodes.

use std::time::Duration;

use async_trait::async_trait;
use chat_core::{Moment, Novelty, Pulse, Roster, RosterAway, Standing};
use chat_protocol::UserId;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, ScriptInvocation};

use super::RedisChannelLayer;
use super::link::Link;
use super::payload::NodeId;

/// Most users of dead nodes that are taken out at once.
const GONE_AT_ONCE: usize = 200;

/// The connection to the roster, and what is asked of it.
pub(super) struct RedisRoster {
    link: Link,
    /// In a Redis Cluster: the way to the node that has the roster, once another one has pointed to it.
    redirected: Mutex<Option<Link>>,
    /// `None` while the roster is away.
    connection: Mutex<Option<MultiplexedConnection>>,
    keys: String,
    node: String,
    enter: Script,
    leave: Script,
    standings: Script,
    beat: Script,
}

impl RedisRoster {
    pub(super) fn new(link: Link, prefix: &str, node: NodeId) -> Self {
        let script = |script| Script::new(&[include_str!("roster/common.lua"), script].concat());
        Self {
            link,
            redirected: Mutex::new(None),
            connection: Mutex::new(None),
            keys: format!("{{{prefix}}}"),
            node: node.to_string(),
            enter: script(include_str!("roster/enter.lua")),
            leave: script(include_str!("roster/leave.lua")),
            standings: script(include_str!("roster/standings.lua")),
            beat: script(include_str!("roster/beat.lua")),
        }
    }

    /// The connection; `None` while the roster is away.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().clone()
    }

    /// From now on the roster is away, until the next sign of life.
    pub(super) fn lose_connection(&self) {
        *self.connection.lock() = None;
    }

    fn ask<'a>(&'a self, script: &'a Script, users: &[UserId]) -> ScriptInvocation<'a> {
        let mut question = script.key(&self.keys);
        question.arg(&self.node);
        for user in users {
            question.arg(user.value());
        }
        question
    }

    /// The answer: a moment, and a number for each thing that was asked about.
    async fn answer(&self, question: &ScriptInvocation<'_>) -> Result<(Moment, Vec<i64>), RosterAway> {
        let mut connection = self.connection().ok_or(RosterAway)?;
        self.answer_by(question, &mut connection).await
    }

    /// As [`answer`](Self::answer), by a connection that is made now where there is none.
    async fn answer_connected(
        &self,
        question: &ScriptInvocation<'_>,
    ) -> Result<(Moment, Vec<i64>), RosterAway> {
        let answer = self.answer_by(question, &mut self.connect().await?).await;
        if answer.is_err() && self.redirected.lock().is_some() {
            return self.answer_by(question, &mut self.connect().await?).await;
        }
        answer
    }

    async fn answer_by(
        &self,
        question: &ScriptInvocation<'_>,
        connection: &mut MultiplexedConnection,
    ) -> Result<(Moment, Vec<i64>), RosterAway> {
        let answer: RedisResult<Vec<i64>> = question.invoke_async(connection).await;
        let error = match answer {
            Ok(answer) => {
                let (moment, numbers) = answer.split_first().ok_or(RosterAway)?;
                return Ok((Moment(u64::try_from(*moment).unwrap_or_default()), numbers.to_vec()));
            }
            Err(error) => error,
        };
        self.lose_connection();
        let redirected = self.link.redirected(&error);
        if redirected.is_none() {
            tracing::warn!(error = &error as &dyn std::error::Error, "who is online elsewhere is not known");
        }
        *self.redirected.lock() = redirected;
        Err(RosterAway)
    }

    /// The connection; made now where there is none.
    async fn connect(&self) -> Result<MultiplexedConnection, RosterAway> {
        if let Some(connection) = self.connection() {
            return Ok(connection);
        }
        // For once: where that has gone, the usual way leads to who has the roster now.
        let redirected = self.redirected.lock().take();
        // Why it cannot be made, others tell.
        let connection = redirected.as_ref().unwrap_or(&self.link).connect().await.map_err(|_| RosterAway)?;
        *self.connection.lock() = Some(connection.clone());
        Ok(connection)
    }
}

#[async_trait]
impl Roster for RedisChannelLayer {
    async fn enter(&self, users: &[UserId]) -> Result<Vec<(Standing, Novelty)>, RosterAway> {
        let roster = &self.roster;
        let (as_of, was_online) = roster.answer(&roster.ask(&roster.enter, users)).await?;
        let standing = Standing { is_online: true, as_of };
        let novelty = |was| if was == 0 { Novelty::Changed } else { Novelty::Unchanged };
        Ok(was_online.into_iter().map(|was| (standing, novelty(was))).collect())
    }

    async fn leave(&self, user: UserId) -> Result<Standing, RosterAway> {
        let roster = &self.roster;
        let (as_of, is_online) = roster.answer(&roster.ask(&roster.leave, &[user])).await?;
        Ok(Standing { is_online: is_online != [0], as_of })
    }

    async fn standings(&self, users: &[UserId]) -> Result<Vec<Standing>, RosterAway> {
        let roster = &self.roster;
        let (as_of, are_online) = roster.answer(&roster.ask(&roster.standings, users)).await?;
        Ok(are_online.into_iter().map(|is| Standing { is_online: is != 0, as_of }).collect())
    }

    async fn beat(&self, lasting: Duration) -> Result<Pulse, RosterAway> {
        let roster = &self.roster;
        let mut question = roster.ask(&roster.beat, &[]);
        question.arg(u64::try_from(lasting.as_micros()).unwrap_or(u64::MAX)).arg(GONE_AT_ONCE);
        let (as_of, answer) = roster.answer_connected(&question).await?;
        let [is_known, others, gone @ ..] = &*answer else { return Err(RosterAway) };
        Ok(Pulse {
            is_known: *is_known != 0,
            is_alone: *others == 0,
            gone: gone.iter().filter_map(|user| UserId::new(*user).ok()).collect(),
            as_of,
        })
    }
}
