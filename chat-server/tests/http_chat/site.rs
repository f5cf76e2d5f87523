//! A site where a header says who one is.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use chat_core::memory::LocalChannelLayer;
use chat_core::storage::{Access, Appended, NewMessage, NewRoom, Room, StoredNotification, User};
use chat_core::{
    Admission, Authenticator, ChatService, Handshake, Identity, Refused, ServiceConfig, Storage,
};
use chat_protocol::Timestamp;
use chat_server::storage::SqliteStorage;
use chat_server::{Gateway, GatewayConfig};
use http::{HeaderMap, Request, request};
use serde_json::Value;
use tower::ServiceExt;

/// The secret of everybody's browser.
const SECRET: &str = "abcdefghijABCDEFGHIJ0123456789zZ";

const FORM: &str = "application/x-www-form-urlencoded";

/// Believes `X-Test-User`.
#[derive(Debug)]
struct HeaderAuthenticator(Arc<dyn Storage>);

#[async_trait]
impl Authenticator for HeaderAuthenticator {
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        let name = handshake.request.headers.get("x-test-user").ok_or(Refused::NotSignedIn)?;
        let user = self.0.ensure_user(&name.to_str().unwrap().parse().unwrap()).await?;
        Ok(Identity::User(user).into())
    }
}

pub(crate) struct Site {
    pub(crate) service: ChatService,
    pub(crate) router: Router,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Site {
    /// A site where amy, ben and cleo have been, with the ids 1, 2 and 3.
    pub(crate) async fn new() -> Self {
        let site = Self::with(|storage| {
            Gateway::new(
                storage.clone(),
                HeaderAuthenticator(storage.storage().clone()),
                GatewayConfig::default(),
            )
        })
        .await;
        for name in ["amy", "ben", "cleo"] {
            site.user(name).await;
        }
        site
    }

    pub(crate) async fn with(gateway: impl FnOnce(&ChatService) -> Gateway) -> Self {
        let storage = SqliteStorage::in_memory().await.unwrap();
        let clock = || Timestamp::from_micros(1_759_460_400_000_000).unwrap();
        let (service, driver) =
            ChatService::new(storage, LocalChannelLayer::new(), clock, ServiceConfig::default());
        tokio::spawn(driver.run());
        let router = gateway(&service).router();
        Self { service, router }
    }

    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        self.service.storage()
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.storage().ensure_user(&name.parse().unwrap()).await.unwrap()
    }

    /// A room with its members; the first of them owns it.
    pub(crate) async fn room(&self, name: &str, access: Access, members: &[&str]) -> Room {
        let mut ids = Vec::new();
        for member in members {
            ids.push(self.user(member).await.id);
        }
        let owner = ids.first().copied();
        let room = NewRoom { name: name.parse().unwrap(), display_name: None, access, owner, members: ids };
        self.storage().create_room(&room).await.unwrap().unwrap()
    }

    pub(crate) async fn say(&self, room: &Room, name: &str, text: &str) -> i64 {
        let message = NewMessage {
            room: room.id,
            sender: self.user(name).await,
            text: text.into(),
            sent_at: Timestamp::from_micros(1_759_460_400_000_000).unwrap(),
            client_id: None,
        };
        match &self.storage().append(&[message]).await.unwrap()[..] {
            [Appended::New(stored)] => stored.id.value(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn notify(&self, from: &str, to: &str, text: &str) -> StoredNotification {
        let (from, to) = (self.user(from).await, self.user(to).await);
        let at = Timestamp::from_micros(1_759_460_400_000_000).unwrap();
        self.storage().notify(&from, to.id, text.into(), at).await.unwrap()
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Request::get(path), Body::empty()).await
    }

    pub(crate) async fn get_json(&self, who: &str, path: &str) -> Answer {
        self.send(who, Request::get(path).header("accept", "application/json"), Body::empty()).await
    }

    /// Sends a form of the site's own page.
    pub(crate) async fn post(&self, who: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrfmiddlewaretoken", SECRET)
            .extend_pairs(fields)
            .finish();
        self.send(who, with_cookie(Request::post(path)).header("content-type", FORM), body.into()).await
    }

    /// Sends JSON as a script of the site's own page does.
    pub(crate) async fn send_json(&self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-csrftoken", SECRET);
        let request = with_cookie(request).header("content-type", "application/json");
        self.send(who, request, body.to_string().into()).await
    }

    /// Sends a request; by nobody, where the name is empty.
    pub(crate) async fn send(&self, who: &str, request: request::Builder, body: Body) -> Answer {
        let request = if who.is_empty() { request } else { request.header("x-test-user", who) };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

pub(crate) fn with_cookie(request: request::Builder) -> request::Builder {
    request.header("cookie", format!("csrftoken={SECRET}"))
}
