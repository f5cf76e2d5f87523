//! What stands between a [`ChatService`] and the network.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chat_core::{Authenticator, ChatService, Credential};
use chat_protocol::{Dialect, Language, Limits};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod admissions;
mod origin;
mod readiness;

use crate::accounts::Scheme;
use crate::auth::GuestAuthenticator;
use crate::connection::{End, Watch};
use crate::http;
use crate::metrics::Metrics;
use admissions::Admissions;
pub(crate) use admissions::{Admitted, Held};
pub(crate) use origin::is_allowed as is_origin_allowed;
pub use origin::{OriginPattern, UnknownOrigin};
pub(crate) use readiness::Readiness;
use readiness::ReadinessProbe;

/// How connections are served.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// The dialect of every connection that asks for none; `None` finds it out from its path or its first frame.
    pub dialect: Option<Dialect>,
    /// The language of what the server itself says. Default English.
    pub language: Language,
    /// Limits on what a frame may carry.
    pub limits: Limits,
    /// Most bytes of a frame. Default 256 KiB.
    pub max_frame_bytes: usize,
    /// Most bytes that wait for one client. Default 1 MiB.
    pub max_queue_bytes: usize,
    /// How often a connection is pinged. Default 20 seconds. To be less than [`mute_for`](Self::mute_for): else whoever has
    /// nothing to say is cut off before the answer to a ping can be there. [`Server::bind`](crate::Server::bind) refuses
    /// such a config; [`Gateway::new`] and [`router`] take it as it is.
    pub ping_every: Duration,
    /// After how long without a sign of life a connection is cut off. Default 45 seconds.
    pub mute_for: Duration,
    /// What browsers speak with the server. Default: HTTP.
    pub scheme: Scheme,
    /// The hosts whose pages may connect; none means the host that they connect to.
    pub allowed_origins: Vec<OriginPattern>,
    /// Whether who says nothing of where they come from may connect. Default: they may.
    pub unknown_origin: UnknownOrigin,
    /// What a front end hears of a refusal for want of identity or membership. Default: HTTP 403.
    pub refusals: Refusals,
    /// How often it is checked whether the sessions of open connections still hold. Default 2 seconds.
    pub sessions_checked_every: Duration,
    /// Where what happens is counted. Default: figures of its own.
    pub metrics: Metrics,
}

/// What a front end hears of a refusal for want of identity or membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusals {
    /// HTTP 403 instead of a WebSocket, as Django Channels does. A page sees close code 1006.
    #[default]
    BeforeUpgrade,
    /// A WebSocket that is closed at once with 4401 (not signed in) or 4403 (may not enter).
    AfterUpgrade,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            dialect: None,
            language: Language::default(),
            limits: Limits::default(),
            max_frame_bytes: 256 * 1024,
            max_queue_bytes: 1024 * 1024,
            ping_every: Duration::from_secs(20),
            mute_for: Duration::from_secs(45),
            scheme: Scheme::Http,
            allowed_origins: Vec::new(),
            unknown_origin: UnknownOrigin::default(),
            refusals: Refusals::default(),
            sessions_checked_every: Duration::from_secs(2),
            metrics: Metrics::default(),
        }
    }
}

/// The way into a chat service from the network: its routes, and the connections that came through them.
///
/// A handle: clones are the same gateway.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) service: ChatService,
    pub(crate) authenticator: Box<dyn Authenticator>,
    pub(crate) config: GatewayConfig,
    pub(crate) admissions: Arc<Admissions>,
    pub(crate) connections: TaskTracker,
    pub(crate) stopping: CancellationToken,
    pub(crate) readiness: ReadinessProbe,
    pub(crate) watch: Watch,
}

impl Gateway {
    /// A gateway into a service, which asks an authenticator who may come.
    #[must_use]
    pub fn new(service: ChatService, authenticator: impl Authenticator, config: GatewayConfig) -> Self {
        let watch = Watch::new(config.ping_every, config.mute_for);
        Self(Arc::new(Shared {
            service,
            authenticator: Box::new(authenticator),
            config,
            admissions: Arc::default(),
            connections: TaskTracker::new(),
            stopping: CancellationToken::new(),
            readiness: ReadinessProbe::default(),
            watch,
        }))
    }

    /// The routes: `/ws/chat/{room}/`, `/ws/chat/listener/`, `/healthz`, `/readyz`, `/metrics`, and a page at `/`.
    ///
    /// Whose address a request counts as is that of whoever connects; behind proxies,
    /// [`trust_proxies`](crate::trust_proxies) makes it that of the client.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Closes every connection with 1001 once what its client last asked for is done, and waits for them to end.
    ///
    /// May be given up: what is open then stays so until it is dropped with the runtime.
    pub async fn close(&self) {
        self.0.stopping.cancel();
        self.0.watch.end_all(End::Stopping);
        self.0.connections.close();
        self.0.connections.wait().await;
    }

    /// Closes the connections that hold a credential with 4401: at once, where the authenticator would tell only later.
    pub fn revoke(&self, credential: &Credential) {
        self.0.admissions.revoke(credential);
    }

    /// Asks the authenticator now and then which credentials hold no longer, and closes their connections with 4401.
    /// Goes on until the gateway is [closed](Self::close).
    pub async fn watch_sessions(&self) {
        let Shared { authenticator, admissions, config, stopping, .. } = &*self.0;
        let mut ticks = interval(config.sessions_checked_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stopping.cancelled() => return,
            }
            let credentials = admissions.credentials();
            if credentials.is_empty() {
                continue;
            }
            let revoked = tokio::select! {
                revoked = authenticator.revoked(&credentials) => revoked,
                () = stopping.cancelled() => return,
            };
            match revoked {
                Ok(revoked) => revoked.iter().for_each(|credential| admissions.revoke(credential)),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be checked");
                }
            }
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

/// The routes of a chat service for guests, to be nested into a router of one's own.
///
/// [`Gateway`] gives more say: who may come, and an orderly end.
///
/// ```
/// use chat_core::ChatService;
/// use chat_core::memory::{LocalChannelLayer, MemoryStorage};
/// use chat_server::{GatewayConfig, SystemClock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (service, driver) =
///     ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), SystemClock, Default::default());
/// tokio::spawn(driver.run());
///
/// let app: axum::Router =
///     axum::Router::new().nest("/support", chat_server::router(service, GatewayConfig::default()));
/// # drop(app);
/// # }
/// ```
pub fn router(service: ChatService, config: GatewayConfig) -> Router {
    Gateway::new(service, GuestAuthenticator, config).router()
}
