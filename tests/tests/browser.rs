//! The pages of the five documents, and the server's own page, in a real browser.
//!
//! A page of `tests/pages` makes the calls and reads the fields that its document's scripts make and read.

use chat_tests::browser::{Browser, Window};
use chat_tests::server::TestServer;
use serde_json::{Value, json};

const DIALECTS: [&str; 5] = ["command", "plain", "group", "remetente", "typed"];

/// The page of a document.
struct Page {
    dialect: &'static str,
    template: &'static str,
}

const COMMAND: Page = Page { dialect: "command", template: include_str!("../pages/command.html") };
const PLAIN: Page = Page { dialect: "plain", template: include_str!("../pages/plain.html") };
const GROUP: Page = Page { dialect: "group", template: include_str!("../pages/group.html") };
const REMETENTE: Page = Page { dialect: "remetente", template: include_str!("../pages/remetente.html") };
const TYPED: Page = Page { dialect: "typed", template: include_str!("../pages/typed.html") };

/// A server, and a browser to try it with.
struct Stage {
    server: TestServer,
    browser: Browser,
}

impl Stage {
    async fn set() -> Self {
        Self { server: TestServer::start().await, browser: Browser::start().await }
    }

    /// Opens a page for a user in a room, and waits until it is connected.
    async fn open(&self, page: Page, user: &str, room: &str) -> Window {
        let values = [
            ("host", self.server.ws_host()),
            ("room", json!(room).to_string()),
            ("group", room.to_owned()),
            ("username", json!(user).to_string()),
            ("user_id", user.to_owned()),
            // For `group` and `typed`, whose documents leave it to a session who one is. A guest has to say it.
            ("query", format!("?user={user}&dialect={}", page.dialect)),
        ];
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let window = self.browser.open_page(page.template, &values).await;
        window.wait_until("document.body.dataset.room === 'open'").await;
        window
    }

    /// Opens the server's own page, and waits until every pane is connected.
    async fn open_panes(&self, room: &str) -> Window {
        let window = self.browser.open(&self.server.http_url(&format!("/?room={room}"))).await;
        window.wait_until("document.querySelectorAll('[data-state=open]').length === 5").await;
        window
    }
}

/// Types `text` into one element and clicks on another.
async fn send(window: &Window, input: &str, button: &str, text: &str) {
    window.type_into(input, text).await;
    window.click(button).await;
}

async fn send_chat_message(window: &Window, text: &str) {
    send(window, "#chat-message-input", "#chat-message-submit", text).await;
}

async fn wait_for_log(window: &Window, lines: &str) {
    window.wait_until(&format!("document.querySelector('#chat-log').value === {}", json!(lines))).await;
}

#[tokio::test]
async fn command_page_draws_history_oldest_first_and_then_what_is_said() {
    let stage = Stage::set().await;
    let amy = stage.open(COMMAND, "amy", "hall").await;
    send_chat_message(&amy, "one").await;
    send_chat_message(&amy, "two").await;
    wait_for_log(&amy, "one\ntwo\n").await;

    let ben = stage.open(COMMAND, "ben", "hall").await;
    wait_for_log(&ben, "one\ntwo\n").await;
    send_chat_message(&ben, "three").await;
    wait_for_log(&amy, "one\ntwo\nthree\n").await;
    wait_for_log(&ben, "one\ntwo\nthree\n").await;

    amy.reload().await;
    wait_for_log(&amy, "one\ntwo\nthree\n").await;
}

#[tokio::test]
async fn command_page_notifies_of_other_peoples_messages_in_ones_other_rooms() {
    let stage = Stage::set().await;
    let amy_in_kitchen = stage.open(COMMAND, "amy", "kitchen").await;
    send_chat_message(&amy_in_kitchen, "is there any soup?").await;
    wait_for_log(&amy_in_kitchen, "is there any soup?\n").await;

    let amy = stage.open(COMMAND, "amy", "hall").await;
    amy.wait_until("document.body.dataset.listener === 'open'").await;
    let ben_in_hall = stage.open(COMMAND, "ben", "hall").await;
    send_chat_message(&ben_in_hall, "a message of her own room").await;
    wait_for_log(&amy, "a message of her own room\n").await;
    let ben_in_kitchen = stage.open(COMMAND, "ben", "kitchen").await;
    send_chat_message(&ben_in_kitchen, "there is").await;

    let notifications = "[...document.querySelectorAll('#notifications li')].map((line) => line.textContent)";
    amy.wait_until(&format!("{notifications}.length")).await;
    assert_eq!(amy.value(notifications).await, json!(["ben : there is"]));
}

#[tokio::test]
async fn plain_page_draws_names_and_texts() {
    let stage = Stage::set().await;
    let amy = stage.open(PLAIN, "amy", "hall").await;
    let ben = stage.open(PLAIN, "ben", "hall").await;

    send(&amy, "#messageInput", "#sendBtn", "Hello World").await;
    let hello = "<strong>amy:</strong> Hello World<br>";
    wait_for_box(&[&amy, &ben], hello).await;
    send(&ben, "#messageInput", "#sendBtn", "Hello amy").await;
    wait_for_box(&[&amy, &ben], &format!("{hello}<strong>ben:</strong> Hello amy<br>")).await;
}

async fn wait_for_box(windows: &[&Window], html: &str) {
    for window in windows {
        window.wait_until(&format!("document.querySelector('#chatBox').innerHTML === {}", json!(html))).await;
    }
}

#[tokio::test]
async fn remetente_page_draws_who_says_what() {
    let stage = Stage::set().await;
    let amy = stage.open(REMETENTE, "amy", "hall").await;
    let ben = stage.open(REMETENTE, "ben", "hall").await;

    amy.enter("#chat-message-input", "olá").await;
    wait_for_log(&ben, "amy: olá\n").await;
    send_chat_message(&ben, "tudo bem?").await;
    for window in [&amy, &ben] {
        wait_for_log(window, "amy: olá\nben: tudo bem?\n").await;
    }
}

#[tokio::test]
async fn group_page_draws_its_own_messages_once_and_notifications() {
    let stage = Stage::set().await;
    let amy = stage.open(GROUP, "amy", "hall").await;
    let ben = stage.open(GROUP, "ben", "hall").await;

    amy.enter(".type_msg", "你好").await;
    wait_for_card(&ben, "你好<br>").await;
    ben.enter(".type_msg", "早安").await;
    wait_for_card(&amy, "你好<br>早安<br>").await;
    wait_for_card(&ben, "你好<br>早安<br>").await;

    amy.type_into("#user-input", "ben").await;
    send(&amy, "#chat-message-input", "#notification-message-submit", "the tea is ready").await;
    ben.wait_until("document.querySelector('#notifications p')").await;
    let notification = "document.querySelector('#notifications p')";
    assert_eq!(ben.value(&format!("{notification}.textContent")).await, "the tea is ready");
    assert_eq!(ben.value(&format!("/^notification_\\d+$/.test({notification}.id)")).await, true);
    assert_eq!(amy.value(notification).await, Value::Null);
}

async fn wait_for_card(window: &Window, html: &str) {
    window
        .wait_until(&format!("document.querySelector('.msg_card_body').innerHTML === {}", json!(html)))
        .await;
}

#[tokio::test]
async fn typed_page_draws_messages_checks_presence_typing_and_errors() {
    let stage = Stage::set().await;
    let amy = stage.open(TYPED, "amy", "hall").await;
    let ben = stage.open(TYPED, "ben", "hall").await;
    amy.wait_until("document.querySelector('.online').dataset.online === 'true'").await;

    amy.type_into(".message-input input", "Привет!").await;
    ben.wait_until("document.querySelector('.typing').textContent === 'amy'").await;
    amy.click(".message-input button").await;
    ben.wait_until("document.querySelector('.message')?.textContent.startsWith('amy: Привет!')").await;
    ben.wait_until("document.querySelector('.typing').textContent === ''").await;
    amy.wait_until("document.querySelectorAll('.message.sent').length === 1").await;
    assert_eq!(ben.value("document.querySelector('.message.sent')").await, Value::Null);
    let time = ben.value("document.querySelector('.message small').textContent").await;
    assert_ne!(time, "Invalid Date");

    amy.enter(".message-input input", " ").await;
    amy.wait_until("document.querySelector('.error').textContent").await;
    assert_eq!(amy.value("document.querySelectorAll('.message').length").await, 1);
}

fn texts(dialect: &str) -> String {
    format!(
        "[...document.querySelectorAll('[data-dialect={dialect}] [data-role=message] [data-role=text]')]\
         .map((line) => line.textContent)"
    )
}

async fn say(window: &Window, dialect: &str, text: &str) {
    window.enter(&format!("[data-dialect={dialect}] [data-role=input]"), text).await;
}

#[tokio::test]
async fn what_is_typed_in_one_pane_shows_in_all_five() {
    let stage = Stage::set().await;
    let window = stage.open_panes("hall").await;
    let mut said = Vec::new();
    for sender in DIALECTS {
        let text = format!("<img src=x> from {sender}");
        say(&window, sender, &text).await;
        said.push(text);
        for dialect in DIALECTS {
            window.wait_until(&format!("{}.length === {}", texts(dialect), said.len())).await;
        }
    }
    for dialect in DIALECTS {
        assert_eq!(window.value(&texts(dialect)).await, json!(said), "{dialect}");
    }
    assert_eq!(window.value("document.querySelector('main img')").await, Value::Null);
    window.wait_until("document.querySelectorAll('[data-dialect=typed] [data-receipt]').length === 1").await;
}

#[tokio::test]
async fn panes_show_errors_and_notifications() {
    let stage = Stage::set().await;
    let window = stage.open_panes("hall").await;
    for dialect in DIALECTS {
        say(&window, dialect, " ").await;
        window
            .wait_until(&format!("document.querySelector('[data-dialect={dialect}] [data-role=error]')"))
            .await;
    }
    window.type_into("[data-role=recipient]", "cleo").await;
    window.enter("[data-role=notice]", "the tea is ready").await;
    window
        .wait_until(
            "document.querySelector('[data-role=notification]')?.textContent.includes('the tea is ready')",
        )
        .await;
}
