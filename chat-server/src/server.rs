//! The whole server: made from a [`Config`], run until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chat_core::memory::LocalChannelLayer;
use chat_core::{ChatService, Driver, Storage};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Accounts};
use crate::auth::{DjangoAuthenticator, GuestAuthenticator, JwtAuthenticator, SessionAuthenticator};
use crate::channel_layer::RedisChannelLayer;
use crate::config::{Auth, Config};
use crate::django_channels::{Bridge, BridgeConfig};
use crate::gateway::{Gateway, GatewayConfig};
use crate::http;
use crate::listener::Listeners;
use crate::storage::{self, Stores};
use crate::workers::Workers;
use crate::{ServerError, SystemClock};

/// A server that is ready to run.
///
/// ```
/// use chat_server::{Config, Database, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::default();
/// config.listen = ([127, 0, 0, 1], 0).into();
/// config.database = Database::SqliteMemory;
///
/// let server = Server::bind(config).await?;
/// println!("listening on {}", server.address());
/// # let stop = async {};
/// server.run(stop).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listeners: Listeners,
    address: SocketAddr,
    service: ChatService,
    driver: Driver,
    stores: Stores,
    gateway: Gateway,
    bridge: Option<Bridge>,
    stopping: CancellationToken,
    router: Router,
    stop_within: Duration,
}

impl Server {
    /// Opens the database and the port.
    ///
    /// # Errors
    ///
    /// [`ServerError`] where one of them is not to be had, or connections would be cut off before they are pinged.
    pub async fn bind(config: Config) -> Result<Self, ServerError> {
        let GatewayConfig { ping_every, mute_for, .. } = config.gateway;
        if ping_every >= mute_for {
            return Err(ServerError::MuteBeforePing { ping_every, mute_for });
        }
        let stores = storage::open(&config).await?;
        let refused = |source| ServerError::Listen { address: config.listen, source };
        let listeners = Listeners::bind(config.listen, config.threads).await.map_err(refused)?;
        let address = listeners.address();
        let (service, driver) = service(Arc::clone(&stores.chat), &config);
        let stopping = CancellationToken::new();
        let bridge = config.django_channels.clone().map(|to| {
            let to = BridgeConfig { metrics: config.gateway.metrics.clone(), ..to };
            Bridge::new(&service, &to, stopping.clone())
        });
        let (gateway, router) = gateway(service.clone(), &stores, &config).await?;
        let router = http::trust_proxies(router, config.trusted_proxies);
        let stop_within = config.stop_within;
        Ok(Self {
            listeners,
            address,
            service,
            driver,
            stores,
            gateway,
            bridge,
            stopping,
            router,
            stop_within,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done. Then: takes no new connections, does what clients have asked for so far, closes
    /// them with 1001, and stores what is queued. What takes longer than the config allows is cut off.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self {
            listeners, service, driver, stores, gateway, bridge, stopping, router, stop_within, ..
        } = self;
        let bridging = bridge.map(|bridge| tokio::spawn(bridge.run()));
        let driving = tokio::spawn(driver.run());
        let workers = Workers::start(listeners, &router, &service, &stopping);
        let watching = tokio::spawn({
            let gateway = gateway.clone();
            async move { gateway.watch_sessions().await }
        });
        stop.await;

        tracing::info!("stopping");
        let deadline = Instant::now() + stop_within;
        stopping.cancel();
        let in_order = async {
            // Beside each other: a slow request must not keep clients from hearing that the server stops.
            futures::join!(workers.requests_done(), gateway.close());
            drop(watching.await);
            service.close();
            drop(driving.await);
            if let Some(bridging) = bridging {
                drop(bridging.await);
            }
            stores.close().await;
        };
        if timeout_at(deadline, in_order).await.is_err() {
            tracing::warn!("some connections did not end in time, and are cut off");
        }
        workers.end().await;
    }
}

fn service(storage: Arc<dyn Storage>, config: &Config) -> (ChatService, Driver) {
    let mut settings = config.service.clone();
    settings.observer = Arc::new(config.gateway.metrics.clone());
    match &config.channel_layer {
        None => ChatService::with_shared_storage(storage, LocalChannelLayer::new(), SystemClock, settings),
        Some(redis) => {
            let layer = RedisChannelLayer::open(redis);
            ChatService::with_shared_storage(storage, layer, SystemClock, settings)
        }
    }
}

/// The gateway for a way to sign in, and all routes that belong to it.
async fn gateway(
    service: ChatService,
    stores: &Stores,
    config: &Config,
) -> Result<(Gateway, Router), ServerError> {
    let users = Arc::clone(service.storage());
    let settings = config.gateway.clone();
    Ok(match &config.auth {
        Auth::Guest => with_routes(Gateway::new(service, GuestAuthenticator, settings)),
        Auth::Jwt(jwt) => {
            with_routes(Gateway::new(service, JwtAuthenticator::new(jwt.clone(), users), settings))
        }
        Auth::Django(django) => {
            let django =
                DjangoAuthenticator::open((**django).clone(), users).await.map_err(ServerError::Django)?;
            with_routes(Gateway::new(service, django, settings))
        }
        Auth::Session(session) => {
            let accounts =
                Accounts::with_shared_storage(Arc::clone(&stores.accounts), SystemClock, session.clone());
            let authenticator = SessionAuthenticator::new(accounts.clone());
            let (gateway, router) = with_routes(Gateway::new(service, authenticator, settings));
            let router = router.merge(accounts::router(accounts.clone(), config.gateway.scheme));
            (gateway, accounts::keep_signed_in(router, accounts, config.gateway.scheme))
        }
    })
}

fn with_routes(gateway: Gateway) -> (Gateway, Router) {
    let router = gateway.router();
    (gateway, router)
}
