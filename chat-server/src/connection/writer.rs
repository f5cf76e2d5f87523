//! Takes frames from the outbox to the network.

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::end::End;
use super::outbox::{Next, Outbox};

/// Frames that wait leave together, up to about this many bytes in one write.
const BATCH_BYTES: usize = 64 * 1024;

/// Writes until the outbox is finished or cut off, or the network fails.
pub(super) async fn run(outbox: &Outbox, mut write: impl AsyncWrite + Unpin) {
    let mut written = 0;
    loop {
        let frames = match outbox.next(written, BATCH_BYTES).await {
            Next::Frames(frames) => frames,
            Next::Finished => break,
            Next::CutOff => return,
        };
        let bytes = match <[_; 1]>::try_from(frames) {
            Ok([only]) => only,
            Err(several) => {
                let mut joined = BytesMut::with_capacity(several.iter().map(bytes::Bytes::len).sum());
                for frame in &several {
                    joined.extend_from_slice(frame);
                }
                joined.freeze()
            }
        };
        let outcome = tokio::select! {
            outcome = write.write_all(&bytes) => outcome,
            () = outbox.is_cut_off() => return,
        };
        if outcome.is_err() {
            outbox.cut_off();
            return outbox.end(End::Broken);
        }
        written = bytes.len();
    }
    // Whoever has hung up already does not need to be told.
    drop(write.shutdown().await);
}
