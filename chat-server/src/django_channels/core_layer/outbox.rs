//! Sends to the members of groups, as `group_send` does it.

use std::collections::BTreeMap;

use chat_core::Clock;
use redis::{Cmd, Pipeline, RedisResult, cmd, pipe};

use super::names::inbox_of;
use super::{CoreLayer, SALT_LENGTH};
use crate::SystemClock;
use crate::django_channels::event::Posted;
use crate::django_channels::hosts::Connections;
use crate::django_channels::layer::Outgoing;
use crate::django_channels::salt;
use crate::metrics::Dropped;

/// Puts a message into each inbox that is not full; gives how many were, and how many messages there were expired. Of
/// `ARGV`, the first is a message for each inbox, then come its score, the score up to which messages are expired, the
/// capacity and the expiry.
const SEND: &str = "\
    local score, expired, capacity, expiry = unpack(ARGV, #KEYS + 1) \
    local full, gone = 0, 0 \
    for i = 1, #KEYS do \
        gone = gone + redis.call('ZREMRANGEBYSCORE', KEYS[i], 0, expired) \
        if redis.call('ZCARD', KEYS[i]) < tonumber(capacity) then \
            redis.call('ZADD', KEYS[i], score, ARGV[i]) \
            redis.call('EXPIRE', KEYS[i], expiry) \
        else \
            full = full + 1 \
        end \
    end \
    return {full, gone}";

/// The members of a group, by their inboxes.
type Members = BTreeMap<String, Vec<String>>;

impl CoreLayer {
    /// Sends messages to all members of their groups but the bridge itself.
    pub(super) async fn send_to_members(
        &self,
        connections: &mut Connections,
        messages: &[Outgoing],
    ) -> RedisResult<()> {
        let members = self.members(connections, messages).await?;
        let mut pipes = vec![pipe(); connections.len()];
        for (time, outgoing) in self.times(messages.len()).zip(messages) {
            let group = self.names.group(&outgoing.room.name);
            let Some(members) = group.and_then(|group| members.get(&group)) else { continue };
            let mut by_shard: BTreeMap<usize, Members> = BTreeMap::new();
            for (inbox, channels) in members {
                by_shard.entry(connections.shard(inbox)).or_default().insert(inbox.clone(), channels.clone());
            }
            for (shard, members) in by_shard {
                if let Some(pipe) = pipes.get_mut(shard) {
                    pipe.add_command(self.send_command(outgoing, &members, time));
                }
            }
        }
        for (shard, pipe) in pipes.iter_mut().enumerate().filter(|(_, pipe)| !pipe.is_empty()) {
            let sent = pipe.ignore_errors().query_async(connections.get(shard)?).await?;
            self.report(sent);
        }
        Ok(())
    }

    /// Times for so many messages. They are taken out by these, so that no two may be the same.
    fn times(&self, count: usize) -> impl Iterator<Item = i64> + use<> {
        let mut last = self.last_time.lock();
        let first = now().max(*last + 1);
        *last = first.saturating_add_unsigned(count as u64);
        first..*last
    }

    /// Who is in the groups of these messages, without the bridge itself.
    async fn members(
        &self,
        connections: &mut Connections,
        messages: &[Outgoing],
    ) -> RedisResult<BTreeMap<String, Members>> {
        let mut groups: Vec<String> =
            messages.iter().filter_map(|outgoing| self.names.group(&outgoing.room.name)).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut by_shard: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for group in groups {
            by_shard.entry(connections.shard(&group)).or_default().push(group);
        }
        let mut members = BTreeMap::new();
        for (shard, groups) in by_shard {
            let pipe = self.members_pipe(&groups);
            let channels: Vec<Vec<String>> = pipe.query_async(connections.get(shard)?).await?;
            members
                .extend(groups.into_iter().zip(channels.into_iter().map(|channels| self.by_inbox(channels))));
        }
        Ok(members)
    }

    fn members_pipe(&self, groups: &[String]) -> Pipeline {
        let gone = seconds(now() - micros(self.group_expiry));
        let mut pipe = pipe();
        for group in groups {
            let key = self.names.group_key(group);
            pipe.cmd("ZREMRANGEBYSCORE").arg(&key).arg(0).arg(&gone).ignore();
            pipe.cmd("ZRANGE").arg(&key).arg(0).arg(-1);
        }
        pipe
    }

    fn by_inbox(&self, channels: Vec<String>) -> Members {
        let mut members = Members::new();
        for channel in channels.into_iter().filter(|channel| !self.names.is_own(channel)) {
            members.entry(inbox_of(&channel).to_owned()).or_default().push(channel);
        }
        members
    }

    fn send_command(&self, Outgoing { room, message }: &Outgoing, members: &Members, time: i64) -> Cmd {
        let posted = Posted { kind: &self.message_type, room, message, sent_by: &self.name };
        let mut send = cmd("EVAL");
        send.arg(SEND).arg(members.len());
        for inbox in members.keys() {
            send.arg(self.names.inbox_key_of(inbox));
        }
        for channels in members.values() {
            let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
            send.arg(posted.encode(&channels, salt::<SALT_LENGTH>().to_vec()));
        }
        send.arg(seconds(time)).arg(seconds(time - micros(self.expiry)));
        send.arg(self.capacity).arg(self.expiry.as_secs().max(1));
        send
    }

    /// Tells of inboxes that were full or not read, and of what Redis would not do.
    fn report(&self, sent: Vec<RedisResult<(u64, u64)>>) {
        let (mut full, mut expired) = (0, 0);
        for sent in sent {
            match sent {
                Ok((inboxes, messages)) => {
                    full += inboxes;
                    expired += messages;
                }
                Err(error) => {
                    self.drops.count(Dropped::NotTaken, 1);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "Redis does not take a message to Django"
                    );
                }
            }
        }
        self.drops.count(Dropped::InboxFull, full);
        self.drops.count(Dropped::Expired, expired);
        if full > 0 {
            let capacity = self.capacity;
            tracing::warn!(full, capacity, "inboxes of Django are full, and do not get messages");
        }
    }
}

/// The time, in microseconds.
pub(super) fn now() -> i64 {
    SystemClock.now().as_micros()
}

/// A time in seconds, as the scores of sets have it.
pub(super) fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

fn micros(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds(1_759_460_400_000_001), "1759460400.000001");
        assert_eq!(seconds(5), "0.000005");
    }
}
