//! The frames that wait, and the wire that they go to.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

use super::Wire;
use crate::connection::end::End;
use crate::metrics::Tally;

/// Most pieces that leave in one write.
const PIECES_PER_WRITE: usize = 64;

/// So many places for pieces are kept while nothing waits.
const KEPT_PIECES: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// What waits: frames, several of them in a piece where they came at once.
    pieces: VecDeque<Bytes>,
    /// Of all that waits.
    pub(super) bytes: usize,
    /// All frames that were ever taken.
    pub(super) taken: Tally,
    pub(super) phase: Phase,
    pub(super) wire: Option<Wire>,
    /// Whether the task of the connection is to write what waits, because the wire takes no more for now.
    is_blocked: bool,
    /// Why the connection must end, once it must.
    pub(super) end: Option<End>,
    /// The task of the connection.
    pub(super) task: Option<Waker>,
    /// Whoever waits until there is room.
    pub(super) waits_for_room: Option<Waker>,
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

impl Queue {
    pub(super) fn add(&mut self, frames: Bytes, count: usize) {
        self.bytes += frames.len();
        self.count(&frames, count);
        self.pieces.push_back(frames);
    }

    /// Adds frames where nothing waits before them and the wire takes something of them at once; only what it does not take
    /// waits then. Whether that was so: why the wire takes nothing, the next [flush](Self::flush) finds out again.
    pub(super) fn send_at_once(&mut self, frames: &Bytes, count: usize) -> bool {
        let Self { wire: Some(wire), phase: Phase::Open, is_blocked: false, bytes: 0, .. } = self else {
            return false;
        };
        let Ok(written @ 1..) = wire.send(frames) else { return false };
        if written == frames.len() {
            self.count(frames, count);
        } else {
            self.add(frames.clone(), count);
            self.bytes -= written;
            advance(&mut self.pieces, written);
        }
        true
    }

    const fn count(&mut self, frames: &Bytes, count: usize) {
        self.taken.frames += count as u64;
        self.taken.bytes += frames.len() as u64;
    }

    pub(super) fn cut_off(&mut self) {
        self.phase = Phase::CutOff;
        self.pieces = VecDeque::new();
        self.wire = None;
    }

    /// Notes why the connection must end; gives its task, which must be told.
    pub(super) fn end(&mut self, end: End) -> Option<Waker> {
        self.end.get_or_insert(end);
        self.task.take()
    }

    /// Writes what waits, unless that is left to the task of the connection; gives that task, where it must be told.
    pub(super) fn flush(&mut self) -> Option<Waker> {
        let Self { wire: Some(wire), is_blocked: false, pieces, bytes, .. } = self else { return None };
        match write_all(pieces, bytes, |slices| wire.try_write(slices)) {
            Ok(()) => None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_blocked = true;
                self.task.take()
            }
            Err(_) => self.break_off(),
        }
    }

    /// Writes what could not be written at once. The task will be woken when there is more to do.
    pub(super) fn write_on(&mut self, cx: &mut Context<'_>) {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
        }
        if !self.is_blocked && self.phase != Phase::Finishing {
            return;
        }
        let Self { wire: Some(wire), pieces, bytes, .. } = self else { return };
        let written = write_all(pieces, bytes, |slices| match wire.poll_write(cx, slices) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        });
        match written {
            Ok(()) if self.phase == Phase::Open => match wire.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.is_blocked = false,
                // It has taken what it could not pass on.
                Poll::Pending => self.is_blocked = true,
                Poll::Ready(Err(_)) => drop(self.break_off()),
            },
            Ok(()) => {
                // Whoever has hung up already does not need to be told.
                if wire.poll_shutdown(cx).is_ready() {
                    self.wire = None;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_blocked = true,
            Err(_) => drop(self.break_off()),
        }
    }

    fn break_off(&mut self) -> Option<Waker> {
        self.cut_off();
        self.end(End::Broken)
    }
}

/// Writes pieces from the front until there are none, or `write` fails.
fn write_all(
    pieces: &mut VecDeque<Bytes>,
    bytes: &mut usize,
    mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<()> {
    while let Some(first) = pieces.front() {
        let written = if pieces.len() == 1 {
            write(&[IoSlice::new(first)])?
        } else {
            let mut slices = [IoSlice::new(&[]); PIECES_PER_WRITE];
            for (slice, piece) in slices.iter_mut().zip(pieces.iter()) {
                *slice = IoSlice::new(piece);
            }
            let count = pieces.len().min(PIECES_PER_WRITE);
            write(slices.get(..count).unwrap_or_default())?
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *bytes -= written;
        advance(pieces, written);
    }
    // What a burst took is given back.
    if pieces.capacity() > KEPT_PIECES {
        *pieces = VecDeque::new();
    }
    Ok(())
}

/// Forgets so many bytes from the front.
fn advance(pieces: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = pieces.front_mut() {
        if written < first.len() {
            first.advance(written);
            return;
        }
        written -= first.len();
        pieces.pop_front();
    }
}
