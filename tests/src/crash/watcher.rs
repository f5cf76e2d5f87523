//! Clients who watch, on one server each, who is online in a room.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::door::Door;
use crate::PATIENCE;
use crate::socket::{Broken, Socket};

/// What somebody who looks on was told last of each user, since they connected.
type Told = BTreeMap<String, bool>;

/// The names of those who watch begin so.
const WATCHERS: &str = "watcher-";

/// All who watch.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    told: Vec<watch::Receiver<Told>>,
    tasks: JoinSet<()>,
}

impl Watchers {
    /// One more, on this server, in this room.
    pub(super) fn add(&mut self, server: watch::Receiver<Option<SocketAddr>>, room: &str) {
        let name = format!("{WATCHERS}{}", self.told.len());
        let (told, receiver) = watch::channel(Told::new());
        self.told.push(receiver);
        let path = format!("/ws/chat/{room}/?username={name}&dialect=typed");
        self.tasks.spawn(watch(Door::new(vec![server], 0), path, told));
    }

    /// Waits until nobody is told to be online any more but those who watch.
    ///
    /// # Panics
    ///
    /// Where somebody stays online for somebody.
    pub(super) async fn see_everybody_leave(&mut self) {
        for told in &mut self.told {
            let empty =
                |told: &Told| told.iter().all(|(name, is_online)| !is_online || name.starts_with(WATCHERS));
            let left = timeout(PATIENCE, told.wait_for(empty)).await.is_ok();
            assert!(left, "somebody is still online: {:?}", *told.borrow());
        }
    }

    /// Waits until all of them are told that somebody is online, or offline.
    ///
    /// # Panics
    ///
    /// Where one is not.
    pub(super) async fn see(&mut self, name: &str, is_online: bool) {
        for told in &mut self.told {
            let seen =
                timeout(PATIENCE, told.wait_for(|told| told.get(name) == Some(&is_online))).await.is_ok();
            assert!(seen, "{name} should be online: {is_online}; but {:?}", *told.borrow());
        }
    }
}

async fn watch(mut door: Door, path: String, told: watch::Sender<Told>) {
    while let Some(mut socket) = door.enter(&path).await {
        // What was told on another connection may have changed meanwhile.
        told.send_replace(Told::new());
        let Err(Broken) = look_on(&mut socket, &told).await;
    }
}

async fn look_on(
    socket: &mut Socket,
    told: &watch::Sender<Told>,
) -> Result<std::convert::Infallible, Broken> {
    loop {
        let frame = socket.try_receive().await?;
        if frame["type"] != json!("user_status") {
            continue;
        }
        let (Some(name), Some(is_online)) = (frame["username"].as_str(), frame["is_online"].as_bool()) else {
            panic!("no status: {frame}");
        };
        told.send_modify(|told| {
            let before = told.insert(name.to_owned(), is_online);
            assert_ne!(before, Some(is_online), "told twice that {name} is online: {is_online}");
        });
    }
}

/// Somebody who only comes and goes.
pub(super) async fn visit(address: SocketAddr, room: &str, name: &str) -> Socket {
    let url = format!("ws://{address}/ws/chat/{room}/?username={name}&dialect=typed");
    let socket: Result<Socket, Broken> = Socket::reach(&url).await;
    socket.expect("the server lets everybody in")
}
