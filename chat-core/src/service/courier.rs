//! Helps the driver to deliver.

use std::sync::Arc;

use super::Inner;

/// Delivers what takes long, beside the [`Driver`](crate::Driver), which does so, too.
///
/// Made by [`ChatService::courier`](crate::ChatService::courier).
#[derive(Debug)]
pub struct Courier {
    inner: Arc<Inner>,
}

impl Courier {
    pub(super) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Does the work, until the service is [closed](crate::ChatService::close). May be given up at any time: others go on
    /// with it.
    pub async fn run(self) {
        tokio::select! {
            () = self.inner.deliver_what_is_left() => {}
            () = self.inner.closing() => {}
        }
    }
}
