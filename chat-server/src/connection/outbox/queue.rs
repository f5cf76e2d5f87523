//! The frames that wait, and the socket that they go to.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::net::tcp::OwnedWriteHalf;

use super::Next;

/// Most frames that leave in one write.
const FRAMES_PER_WRITE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Bytes>,
    /// Of the frames that wait or are being written.
    pub(super) bytes: usize,
    pub(super) phase: Phase,
    /// Where frames are written to, if not by the writer.
    pub(super) socket: Option<Arc<OwnedWriteHalf>>,
    /// Whether the writer waits for the socket to take more.
    is_blocked: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Open,
    /// What waits is still sent; nothing is taken any more.
    Finishing,
    /// Nothing is sent any more.
    CutOff,
}

/// What became of what waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    /// All of it is written.
    All,
    /// All of it is written, and there will be no more.
    Finished,
    /// The socket takes no more for now; the writer must be told.
    Blocked,
    /// It waits for the writer, who knows.
    Waiting,
    /// The socket takes nothing any more.
    Broken,
}

impl Queue {
    pub(super) fn add(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    pub(super) fn cut_off(&mut self) {
        self.phase = Phase::CutOff;
        self.frames = VecDeque::new();
        self.socket = None;
    }

    /// Writes what waits, unless the writer waits to do so.
    pub(super) fn flush(&mut self) -> Flushed {
        match &self.socket {
            None => Flushed::Blocked,
            Some(_) if self.is_blocked => Flushed::Waiting,
            Some(socket) => match write_all(socket, &mut self.frames, &mut self.bytes) {
                Ok(()) if self.phase == Phase::Open => Flushed::All,
                Ok(()) => Flushed::Finished,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    Flushed::Blocked
                }
                Err(_) => Flushed::Broken,
            },
        }
    }

    /// Writes what waits, now that the socket takes more.
    pub(super) fn resume(&mut self) -> Flushed {
        self.is_blocked = false;
        self.flush()
    }

    /// What there is for the writer to do, if anything.
    pub(super) fn next(&mut self, batch_bytes: usize) -> Option<Next> {
        match (self.phase, self.frames.is_empty(), &self.socket) {
            (Phase::CutOff, ..) => Some(Next::CutOff),
            (Phase::Finishing, true, _) => {
                self.socket = None;
                Some(Next::Finished)
            }
            (Phase::Open, true, _) => None,
            // Whoever has pushed is about to flush.
            (Phase::Open, false, Some(_)) if !self.is_blocked => None,
            (_, false, Some(socket)) => Some(Next::Wait(Arc::clone(socket))),
            (_, false, None) => Some(Next::Frames(self.take(batch_bytes))),
        }
    }

    fn take(&mut self, batch_bytes: usize) -> Vec<Bytes> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(frame) = self.frames.pop_front() {
            bytes += frame.len();
            batch.push(frame);
            if bytes >= batch_bytes {
                break;
            }
        }
        batch
    }
}

/// Writes frames from the front until there are none, or the socket takes no more.
fn write_all(socket: &OwnedWriteHalf, frames: &mut VecDeque<Bytes>, bytes: &mut usize) -> io::Result<()> {
    while !frames.is_empty() {
        let written = write(socket, frames)?;
        *bytes -= written;
        advance(frames, written);
    }
    Ok(())
}

/// Writes frames from the front, as many as the socket takes at once.
fn write(socket: &OwnedWriteHalf, frames: &VecDeque<Bytes>) -> io::Result<usize> {
    if let (1, Some(only)) = (frames.len(), frames.front()) {
        return socket.try_write(only);
    }
    let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
    for (slice, frame) in slices.iter_mut().zip(frames) {
        *slice = IoSlice::new(frame);
    }
    let count = frames.len().min(FRAMES_PER_WRITE);
    socket.try_write_vectored(slices.get(..count).unwrap_or_default())
}

/// Forgets so many bytes from the front.
fn advance(frames: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = frames.front_mut() {
        if written < first.len() {
            first.advance(written);
            return;
        }
        written -= first.len();
        frames.pop_front();
    }
}
