//! Takes frames from the outbox to the network, where the outbox does not write them itself.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::end::End;
use super::outbox::{Next, Outbox};

/// Frames that wait leave together, up to about this many bytes in one write.
const BATCH_BYTES: usize = 64 * 1024;

/// Writes until the outbox is finished or cut off, or the network fails. Without anything to write to, the outbox has a
/// socket: then it only waits until that takes more.
pub(super) async fn run(outbox: &Outbox, mut write: Option<impl AsyncWrite + Unpin>) {
    let mut written = 0;
    loop {
        written = match (outbox.next(written, BATCH_BYTES).await, &mut write) {
            (Next::Frames(frames), Some(write)) => {
                let bytes = joined(frames);
                let outcome = tokio::select! {
                    outcome = write.write_all(&bytes) => outcome,
                    () = outbox.is_cut_off() => return,
                };
                if outcome.is_err() {
                    outbox.cut_off();
                    return outbox.end(End::Broken);
                }
                bytes.len()
            }
            (Next::Wait(socket), _) => {
                tokio::select! {
                    // Where it fails, the next write tells.
                    _ = socket.writable() => outbox.resume(),
                    () = outbox.is_cut_off() => return,
                }
                0
            }
            (Next::Finished, Some(write)) => {
                // Whoever has hung up already does not need to be told.
                return drop(write.shutdown().await);
            }
            (Next::Finished | Next::CutOff, _) | (Next::Frames(_), None) => return,
        };
    }
}

fn joined(frames: Vec<Bytes>) -> Bytes {
    match <[_; 1]>::try_from(frames) {
        Ok([only]) => only,
        Err(several) => {
            let mut joined = BytesMut::with_capacity(several.iter().map(Bytes::len).sum());
            for frame in &several {
                joined.extend_from_slice(frame);
            }
            joined.freeze()
        }
    }
}
