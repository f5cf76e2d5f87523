//! One connection of a client that stays: writes what the course has to say, and reads.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::course::Course;
use crate::connection::Connection;
use crate::error::{End, ErrorKind};

#[cfg(test)]
mod tests;

/// A connection, and what of it is under way.
pub(super) struct Link {
    connection: Connection,
    /// Taken from the course, and not by the connection. Where that breaks, the course has it still.
    unsent: Option<Message>,
    /// Whether the connection has taken something that it has not written.
    is_writing: bool,
    /// Whether something of that would not be sent again.
    may_lose: bool,
    /// What broke the writing. What has arrived before, above all why the server closed, is read all the same.
    broken: Option<ErrorKind>,
    silence: Duration,
    /// Frames that had arrived by `heard_at`.
    heard: u64,
    heard_at: Instant,
    /// Wakes the task when the silence has lasted too long, or something is to be sent again.
    alarm: Pin<Box<Sleep>>,
}

impl Link {
    pub(super) fn new(connection: Connection, silence: Duration, now: Instant) -> Self {
        Self {
            connection,
            unsent: None,
            is_writing: false,
            may_lose: false,
            broken: None,
            silence,
            heard: 0,
            heard_at: now,
            alarm: Box::pin(sleep_until(now)),
        }
    }

    /// Writes what there is to write, and reads the next message.
    pub(super) fn poll<P>(
        &mut self,
        course: &mut Course<P>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Message, ErrorKind>> {
        loop {
            let now = Instant::now();
            self.write(course, now, cx);
            if let Poll::Ready(read) = self.connection.poll_receive(cx) {
                return Poll::Ready(Ok(read?));
            }
            if let Some(error) = self.broken.take() {
                return Poll::Ready(Err(error));
            }
            let heard = self.connection.heard();
            if heard != self.heard {
                (self.heard, self.heard_at) = (heard, now);
            }
            let lost_at = self.heard_at + self.silence;
            if lost_at <= now {
                let silence = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Poll::Ready(Err(End::lost(WsError::Io(silence)).into()));
            }
            let wakes_at = self.wakes_at(course);
            self.alarm.as_mut().reset(wakes_at.map_or(lost_at, |at| at.min(lost_at)));
            // Where it has gone off already, there is something to do.
            ready!(self.alarm.as_mut().poll(cx));
        }
    }

    /// When to look for a frame again. While there is one that the connection does not take, it says itself when it does:
    /// an alarm for what is due behind it would go off again and again.
    fn wakes_at<P>(&self, course: &Course<P>) -> Option<Instant> {
        if self.unsent.is_some() {
            return None;
        }
        course.wakes_at().map(Instant::from_std)
    }

    /// Writes as much as the connection takes.
    fn write<P>(&mut self, course: &mut Course<P>, now: Instant, cx: &mut Context<'_>) {
        while self.broken.is_none() {
            if self.unsent.is_none() {
                self.unsent = course.next_frame(now.into_std()).map(Message::text);
            }
            if self.unsent.is_none() && !self.is_writing {
                return;
            }
            let written = self.connection.poll_send(&mut self.unsent, cx);
            if self.unsent.is_none() {
                self.may_lose |= course.taken();
            }
            match written {
                Poll::Ready(Ok(())) => (self.is_writing, self.may_lose) = (false, false),
                Poll::Ready(Err(error)) => self.broken = Some(error),
                Poll::Pending => {
                    self.is_writing = true;
                    return;
                }
            }
        }
    }

    /// Whether something was taken from the course that is not written.
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing || self.unsent.is_some()
    }

    /// Whether something that nobody confirms is lost, should it end now.
    pub(super) fn may_lose(&self) -> bool {
        self.may_lose
    }

    /// Says goodbye.
    pub(super) async fn close(self) -> Result<(), End> {
        self.connection.close().await
    }
}
