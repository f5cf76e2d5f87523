//! The threads that serve connections.
//!
//! Each has a runtime and a listener of its own, and a connection stays on the thread that has accepted it: what one thread
//! does wakes no other. The first is the one that the server was started on, where the driver runs; on each of the others a
//! courier delivers what takes long.

use std::io;
use std::thread;

use axum::Router;
use chat_core::ChatService;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listener::{self, Listeners};

/// The threads of a server.
#[derive(Debug)]
pub(crate) struct Workers {
    /// Listeners that run.
    listening: TaskTracker,
    /// Lets the threads end.
    over: CancellationToken,
    /// Each ends with its thread.
    ends: Vec<oneshot::Receiver<()>>,
}

impl Workers {
    /// Accepts connections on all threads until `stopping`.
    pub(crate) fn start(
        listeners: Listeners,
        router: &Router,
        service: &ChatService,
        stopping: &CancellationToken,
    ) -> Self {
        let Listeners { first, others, .. } = listeners;
        let mut workers =
            Self { listening: TaskTracker::new(), over: CancellationToken::new(), ends: Vec::new() };
        workers.listening.spawn(listener::run(first, router.clone(), stopping.clone()));
        for listener in others {
            match workers.start_thread(listener, router.clone(), service.clone(), stopping.clone()) {
                Ok(end) => workers.ends.push(end),
                Err(error) => tracing::error!(%error, "a thread cannot be started; the others do its work"),
            }
        }
        workers.listening.close();
        workers
    }

    fn start_thread(
        &self,
        listener: std::net::TcpListener,
        router: Router,
        service: ChatService,
        stopping: CancellationToken,
    ) -> io::Result<oneshot::Receiver<()>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let requests = self.listening.track_future(listener::run(listener, router, stopping));
        let over = self.over.clone();
        let (is_running, end) = oneshot::channel();
        thread::Builder::new().name("chat-worker".into()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(service.courier().run());
                // Where the time is over before a request is, it ends with the runtime.
                over.run_until_cancelled(requests).await;
                over.cancelled().await;
            });
            drop(runtime);
            drop(is_running);
        })?;
        Ok(end)
    }

    /// Waits until no request is under way any more.
    pub(crate) async fn requests_done(&self) {
        self.listening.wait().await;
    }

    /// Ends the threads, and what is still open on them.
    pub(crate) async fn end(self) {
        self.over.cancel();
        for end in self.ends {
            // It has no more to say than that it is over.
            drop(end.await);
        }
    }
}
