//! A session that ends at one server, ends on all.

use chat_core::storage::RoomStorage;
use chat_server::accounts::{Accounts, AccountsConfig};
use chat_server::{Auth, Config, SystemClock};
use chat_tests::http::Visitor;
use chat_tests::server::TestServer;
use chat_tests::site::PASSWORD;
use chat_tests::socket::Socket;

use super::{Shared, chat, is_message};

fn with_accounts(config: &mut Config) {
    config.auth = Auth::Session(AccountsConfig::default());
}

/// A socket of whoever has these cookies, on a server that they may not have come from.
async fn connect(server: &TestServer, visitor: &Visitor) -> Socket {
    let headers = [("Cookie", visitor.cookies()), ("Origin", server.http_url(""))];
    let url = server.ws_url("/ws/chat/hall/?dialect=typed");
    Socket::try_open_with_headers(&url, &headers).await.expect("the session holds on every server")
}

#[tokio::test]
async fn a_logout_and_a_new_password_close_what_is_open_on_other_nodes() {
    let shared = Shared::new();
    let (first, second) = (shared.node(with_accounts).await, shared.node(with_accounts).await);
    let storage = shared.storage().await;
    storage.ensure_room(&"hall".parse().expect("a name")).await.expect("a room");
    let accounts = Accounts::new(storage, SystemClock, AccountsConfig::default());
    let amy = accounts.create("amy", PASSWORD).await.expect("an account");
    let log_in = async || {
        let mut visitor = Visitor::new(first.address());
        visitor.log_in("amy", PASSWORD).await;
        visitor
    };
    let (mut leaves, stays) = (log_in().await, log_in().await);
    let [mut here, mut there] = [connect(&first, &leaves).await, connect(&second, &leaves).await];
    let mut other = connect(&second, &stays).await;

    leaves.log_out().await;
    assert_eq!(here.receive_close().await, 4401);
    assert_eq!(there.receive_close().await, 4401);
    other.send(&chat("still here")).await;
    assert_eq!(other.receive_where(is_message).await["message"], "still here");

    accounts.change_password(&amy, "another horse battery").await.expect("a new password");
    assert_eq!(other.receive_close().await, 4401);
}
