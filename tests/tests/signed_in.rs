//! The pages of the `group` and the `typed` document in a real browser, for people who have logged in.
//!
//! Everybody has a browser, and so a cookie jar, of their own. They log in with the server's own form; the pages, as in
//! the documents, say nothing of who one is.
//!
//! The page with React needs the Debian packages `node-react` and `node-react-dom`.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use chat_core::storage::{Access, NewRoom, NotificationStorage, Room, RoomStorage, User, UserStorage};
use chat_server::accounts::{Accounts, AccountsConfig};
use chat_server::storage::SqliteStorage;
use chat_server::{Auth, Config, Database, SystemClock, UnknownOrigin};
use chat_tests::browser::{Browser, Window};
use chat_tests::server::TestServer;
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";

const GROUP: &str = include_str!("../pages/group.html");
const TYPED: &str = include_str!("../pages/typed.html");
const TYPED_REACT: &str = include_str!("../pages/typed_react.html");

/// Where Debian keeps the packages of Node.js.
const LIBRARIES: &str = "/usr/share/nodejs";

/// A server with accounts, an open room `hall`, and rooms for members.
struct Site {
    server: TestServer,
    /// The database, as another process sees it.
    storage: SqliteStorage,
    hall: Room,
    alice: User,
    bob: User,
    _folder: TempDir,
}

impl Site {
    async fn open(set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let storage = SqliteStorage::open(&path).await.expect("the database opens");
        let accounts = Accounts::new(storage.clone(), SystemClock, AccountsConfig::default());
        for name in ["alice", "bob"] {
            accounts.create(name, PASSWORD).await.expect("an account");
        }
        let user = async |name: &str| {
            let name = name.parse().expect("a name");
            storage.user_named(&name).await.expect("an answer").expect("a user")
        };
        let (alice, bob) = (user("alice").await, user("bob").await);
        let hall = storage.ensure_room(&"hall".parse().expect("a name")).await.expect("a room");
        let server = TestServer::start_with(|config| {
            config.database = Database::SqliteFile(path);
            config.auth = Auth::Session(AccountsConfig::default());
            config.gateway.unknown_origin = UnknownOrigin::Refused;
            set(config);
        })
        .await;
        Self { server, storage, hall, alice, bob, _folder: folder }
    }

    /// Makes a room for members.
    async fn den(&self, members: &[&User]) -> Room {
        let den = members_only("den", members);
        self.storage.create_room(&den).await.expect("an answer").expect("a new room")
    }

    /// Makes the room in which alice and bob talk to each other.
    async fn alice(&self) -> Person<'_> {
        Person::log_in(self, &self.alice).await
    }

    async fn bob(&self) -> Person<'_> {
        Person::log_in(self, &self.bob).await
    }
}

fn members_only(name: &str, members: &[&User]) -> NewRoom {
    NewRoom {
        name: name.parse().expect("a name"),
        display_name: None,
        access: Access::MembersOnly,
        owner: None,
        members: members.iter().map(|member| member.id).collect(),
    }
}

/// Somebody at their browser.
struct Person<'a> {
    site: &'a Site,
    user: &'a User,
    browser: Browser,
    /// A window with a page of the server's own.
    home: Window,
}

impl<'a> Person<'a> {
    /// Asks for the room with somebody, as the document's page does.
    async fn room_with(&self, other: &User) -> Value {
        let script = format!(
            "fetch('/chat/hall/', {{ method: 'POST', \
               headers: {{ 'X-CSRFToken': document.cookie.match(/csrftoken=([^;]*)/)[1] }}, \
               body: new URLSearchParams({{ type: 'Create_Group_Single', user: '{}' }}) }})\
             .then((answer) => answer.json())",
            other.id,
        );
        self.home.value(&script).await
    }

    async fn come(site: &'a Site, user: &'a User) -> Self {
        let browser = Browser::start().await;
        let home = browser.open(&site.server.http_url("/accounts/login/?next=/healthz")).await;
        Self { site, user, browser, home }
    }

    async fn log_in(site: &'a Site, user: &'a User) -> Self {
        let person = Self::come(site, user).await;
        person.submit().await;
        person
    }

    /// Fills in the form.
    async fn submit(&self) {
        self.home.type_into("[name=username]", self.user.name.as_str()).await;
        self.home.type_into("[name=password]", PASSWORD).await;
        self.home.click("form button").await;
        self.home.wait_for_url(&self.site.server.http_url("/healthz")).await;
    }

    /// Opens the page of a document, and waits until its connection is in this state.
    async fn try_open(&self, template: &str, room: &str, state: &str) -> Window {
        let values = [
            ("host", self.site.server.ws_host()),
            ("room", room.to_owned()),
            ("group", self.site.hall.id.to_string()),
            ("user_id", self.user.id.to_string()),
            ("query", String::new()),
        ];
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let window = self.browser.open_page(template, &values).await;
        window.wait_until(&format!("document.body.dataset.room === '{state}'")).await;
        window
    }

    async fn open(&self, template: &str, room: &str) -> Window {
        self.try_open(template, room, "open").await
    }
}

/// Waits until an element has this text.
async fn wait_for_text(window: &Window, selector: &str, text: &str) {
    window
        .wait_until(&format!("document.querySelector('{selector}')?.textContent === {}", json!(text)))
        .await;
}

/// Waits until a `typed` page shows these messages, each with a time that it could read.
async fn wait_for_messages(window: &Window, messages: &[&str]) {
    // A time is four digits or more, and may end in AM or PM.
    let shown = r"[...document.querySelectorAll('.message')]
        .map((line) => line.textContent.replace(/ [\d:]{4,}(\s[AP]M)?$/, ' at a time'))";
    let expected: Vec<_> = messages.iter().map(|message| format!("{message} at a time")).collect();
    window.wait_until(&format!("JSON.stringify({shown}) === JSON.stringify({})", json!(expected))).await;
}

const TYPED_INPUT: &str = ".message-input input";
const TYPED_BUTTON: &str = ".message-input button";

async fn say(window: &Window, text: &str) {
    window.type_into(TYPED_INPUT, text).await;
    window.click(TYPED_BUTTON).await;
}

#[tokio::test]
async fn a_page_is_let_in_after_a_login_until_the_logout() {
    let site = Site::open(|_| {}).await;
    let den = site.den(&[&site.alice]).await.id.to_string();
    let bob = Person::come(&site, &site.bob).await;
    bob.try_open(TYPED, "'hall'", "closed 1006").await;

    bob.submit().await;
    let page = bob.open(TYPED, "'hall'").await;
    bob.try_open(TYPED, &den, "closed 1006").await;

    let login = bob.browser.open(&site.server.http_url("/accounts/login/")).await;
    login.click("form[action*=logout] button").await;
    page.wait_until("document.body.dataset.room === 'closed 4401'").await;
    bob.try_open(TYPED, "'hall'", "closed 1006").await;
}

#[tokio::test]
async fn typed_page_draws_presence_messages_checks_typing_read_marks_and_errors() {
    let site = Site::open(|config| {
        config.gateway.dialect = "typed".parse().ok();
        config.gateway.language = "ru".parse().expect("a language");
    })
    .await;
    // Under its number, as in the document.
    let den = site.den(&[&site.alice, &site.bob]).await.id.to_string();
    let (alice, bob) = tokio::join!(site.alice(), site.bob());
    let alice = alice.open(TYPED, &den).await;
    let bob = bob.open(TYPED, &den).await;
    wait_for_text(&alice, ".online[data-online=true]", "bob в сети").await;

    tokio::join!(bob.type_into(TYPED_INPUT, "Привет!"), wait_for_text(&alice, ".typing", "bob"));
    // The page's own timer ends it.
    wait_for_text(&alice, ".typing", "").await;
    bob.click(TYPED_BUTTON).await;
    say(&alice, "Как дела?").await;
    for window in [&alice, &bob] {
        wait_for_messages(window, &["bob: Привет!", "alice: Как дела?"]).await;
    }
    wait_for_text(&alice, ".message.sent strong", "alice:").await;
    wait_for_text(&bob, ".message.sent strong", "bob:").await;
    for window in [&alice, &bob] {
        assert_eq!(window.value("document.querySelectorAll('.message.sent').length").await, 1);
    }

    // Whoever enters the input marks what is there as read.
    let read = format!(".read[data-room=\"{den}\"]");
    wait_for_text(&bob, &read, "alice").await;
    say(&bob, " ").await;
    wait_for_text(&alice, &read, "bob").await;
    let error = "document.querySelector('.error').textContent";
    bob.wait_until(&format!("{error}.startsWith('Сообщение не может быть пустым')")).await;
    wait_for_messages(&bob, &["bob: Привет!", "alice: Как дела?"]).await;

    bob.close().await;
    wait_for_text(&alice, ".online[data-online=false]", "bob не в сети").await;
}

#[tokio::test]
async fn typed_component_draws_presence_messages_and_typing() {
    // A server that is told nothing of the dialect finds it out from the first frame of each page.
    let site = Site::open(|_| {}).await;
    let library =
        |name| std::fs::read_to_string(Path::new(LIBRARIES).join(name)).expect("React is installed");
    let page = TYPED_REACT
        .replace("{{react}}", &library("react/umd/react.production.min.js"))
        .replace("{{react_dom}}", &library("react-dom/umd/react-dom.production.min.js"));
    let (alice, bob) = tokio::join!(site.alice(), site.bob());
    let hall = site.hall.id.to_string();
    let alice = alice.open(&page, &hall).await;
    let bob = bob.open(&page, &hall).await;

    say(&alice, "hello").await;
    for window in [&alice, &bob] {
        wait_for_messages(window, &["alice: hello"]).await;
    }
    wait_for_text(&alice, ".online li", "bob").await;

    tokio::join!(bob.type_into(TYPED_INPUT, "hello "), alice.wait_until("document.querySelector('.typing')"));
    // The component's own timer ends it.
    alice.wait_until("!document.querySelector('.typing')").await;
    bob.enter(TYPED_INPUT, "alice").await;
    for window in [&alice, &bob] {
        wait_for_messages(window, &["alice: hello", "bob: hello alice"]).await;
        assert_eq!(window.value(&format!("document.querySelector('{TYPED_INPUT}').value")).await, "");
    }

    bob.close().await;
    alice.wait_until("!document.querySelector('.online li')").await;
}

#[tokio::test]
async fn group_page_draws_rooms_and_notifications() {
    // A group page that has sent nothing yet is like any other: the server is told which dialect its pages speak.
    let site = Site::open(|config| config.gateway.dialect = "group".parse().ok()).await;
    let (alice, bob) = tokio::join!(site.alice(), site.bob());
    let first = alice.open(GROUP, "'hall'").await;
    let second = alice.open(GROUP, "'hall'").await;
    let bob = bob.open(GROUP, "'hall'").await;
    // Only now, so that the open sockets must carry the room that is made.
    let answer = alice.room_with(&site.bob).await;
    let room = answer["id"].clone();
    for window in [&first, &second, &bob] {
        window.value(&format!("addRoom({answer})")).await;
        wait_for_text(window, &format!("#room_{room}"), "alice_with_bob").await;
    }

    let in_room = |selector: &str| format!("#display_room_{room} {selector}");
    let in_hall = |selector: &str| format!("#display_room_{} {selector}", site.hall.id);
    first.enter(&in_room(".type_msg"), "只有你").await;
    for window in [&second, &bob] {
        wait_for_text(window, &in_room("[title=alice_with_bob]"), "只有你").await;
    }
    bob.enter(&in_room(".type_msg"), "和我").await;
    first.enter(&in_hall(".type_msg"), "大家好").await;
    for window in [&first, &second, &bob] {
        // The page draws what it sends; an echo to the sender would stand there twice.
        wait_for_text(window, &in_room(".msg_card_body"), "只有你和我").await;
        wait_for_text(window, &in_hall(".msg_card_body"), "大家好").await;
    }

    first.type_into("#user-input", "bob").await;
    first.type_into("#chat-message-input", "茶好了").await;
    first.click("#notification-message-submit").await;
    bob.wait_until("document.querySelector('#notifications p')").await;
    let stored = site.storage.notifications(site.bob.id).await.expect("an answer");
    let [notification] = &*stored else { panic!("one notification: {stored:?}") };
    wait_for_text(&bob, &format!("#notification_{}", notification.id), "茶好了").await;
    for window in [&first, &second] {
        assert_eq!(window.value("document.querySelector('#notifications p')").await, Value::Null);
    }
}
