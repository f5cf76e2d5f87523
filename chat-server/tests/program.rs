//! The program itself: what it says, how it ends, what it logs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "program/backup.rs"]
mod backup;
#[path = "program/migrate.rs"]
mod migrate;
#[path = "program/room_files.rs"]
mod room_files;
#[path = "program/settings.rs"]
mod settings;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = program(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs the program, which must succeed, and gives what it says.
fn said(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs the program, which must fail, and gives what it complains of.
fn complaint(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    let complaint = text(&output.stderr);
    assert!(!output.status.success(), "{arguments:?}: {complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
    complaint
}

/// A server on a free port; killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_by(program(folder).args(arguments))
    }

    /// Starts the program as a command says it.
    fn start_by(command: &mut Command) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let line =
            lines.map_while(Result::ok).find(|line| line.contains("http://")).expect("it says where it is");
        let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Tells it to stop, and gives its log.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Where it has ended, there is nothing to kill.
        drop(self.child.kill());
    }
}

#[tokio::test]
async fn it_serves_stores_and_stops_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--audit-log"]);
    let url = format!("ws://{}/ws/chat/hall/?username=amy&dialect=typed&token=s3cret", serving.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket
        .send(Message::text(r#"{"type":"chat_message","message":"a text of nobody's business"}"#))
        .await
        .unwrap();
    let echo = socket.next().await.unwrap().unwrap();
    assert!(echo.to_text().unwrap().contains("business"));
    let evil = format!("ws://{}/ws/chat/a%0Afake%20line%1B[31m/", serving.address);
    assert!(tokio_tungstenite::connect_async(evil).await.is_err());
    let refused =
        tokio_tungstenite::connect_async(format!("ws://{}/ws/chat/x/?user=server", serving.address)).await;
    assert!(refused.is_err());

    let log = serving.stop();
    assert!(folder.path().join("chat.db").exists());
    for action in ["connect", "join", "send", "disconnect", "refuse"] {
        assert!(
            log.lines().any(|line| line.contains("audit") && line.contains(action)),
            "{action} is not in {log}"
        );
    }
    let sent = log.lines().find(|line| line.contains("\"send\"")).expect("a line");
    for part in ["connection=1", "user=\"amy\"", "room=\"hall\"", "address=\"127.0.0.1:"] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
    assert!(log.contains("amy") && log.contains("hall") && log.contains("127.0.0.1"));
    for secret in ["s3cret", "business", "\u{1b}[31m/", "\nfake line"] {
        assert!(!log.contains(secret), "{secret:?} is in {log}");
    }
}

#[tokio::test]
async fn who_writes_and_leaves_at_once_is_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--audit-log"]);
    for (user, messages) in [("amy", 1), ("ben", 3)] {
        let url = format!("ws://{}/ws/chat/hall/?username={user}&dialect=plain", serving.address);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        for _ in 0..messages {
            socket.feed(Message::text(r#"{"message":"and away"}"#)).await.unwrap();
        }
        socket.close(None).await.unwrap();
        // Nothing follows the answer to the close.
        while let Some(Ok(message)) = socket.next().await {
            assert!(message.is_close(), "{message}");
        }
    }
    let log = serving.stop();
    for (user, messages) in [("amy", 1), ("ben", 3)] {
        let of_user = log.lines().filter(|line| line.contains(&format!("user=\"{user}\"")));
        let actions: Vec<_> = of_user.filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(actions, [vec!["connect"], vec!["send"; messages], vec!["disconnect"]].concat(), "{log}");
    }
}

#[tokio::test]
async fn what_is_logged_besides_does_not_decide_about_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    for (log, audit_log, is_audited) in [
        ("chat_server=debug", "true", true),
        ("info", "false", false),
        ("info,audit=off", "true", false),
        ("warn,audit=info", "false", true),
        ("", "true", true),
    ] {
        let mut command = program(folder.path());
        let serving = Serving::start_by(command.env("CHAT_LOG", log).args(["--audit-log", audit_log]));
        let url = format!("ws://{}/ws/chat/hall/?username=amy", serving.address);
        drop(tokio_tungstenite::connect_async(url).await.unwrap());
        let said = serving.stop();
        assert_eq!(said.contains("\"connect\""), is_audited, "{log:?}, --audit-log {audit_log}: {said}");
    }
}

#[test]
fn the_command_line_looks_after_users_and_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input| run(folder.path(), arguments, input);
    let said = |arguments: &[&str], input| said(folder.path(), arguments, input);
    let create = |name| said(&["user", "create", name, "--password-stdin"], "correct horse battery\n");
    assert_eq!(create("alice"), "user alice has the id 1\n");
    assert_eq!(create("bob"), "user bob has the id 2\n");
    said(&["user", "passwd", "bob", "--password-stdin"], "another horse battery\n");
    said(&["user", "deactivate", "bob"], "");
    assert_eq!(said(&["user", "list"], ""), "1\talice\tactive\n2\tbob\tinactive\n");
    let den = ["room", "create", "den", "--private", "--member", "alice", "--display-name", "The Den"];
    assert_eq!(said(&den, ""), "room den has the id 1\n");
    said(&["room", "add", "den", "bob"], "");
    assert_eq!(said(&["room", "list"], ""), "1\tden\tprivate\talice, bob\n");
    said(&["room", "remove", "den", "bob"], "");
    assert_eq!(said(&["room", "list"], ""), "1\tden\tprivate\talice\n");
    said(&["room", "create", "attic", "--private", "--member", "bob", "--owner", "alice"], "");
    said(&["room", "create", "cellar", "--member", "alice", "--owner", "alice"], "");
    let rooms = "1\tden\tprivate\talice\n2\tattic\tprivate\tbob, alice\n3\tcellar\topen\talice\n";
    assert_eq!(said(&["room", "list"], ""), rooms);
    assert_eq!(said(&["listing", "set", "5", "--owner", "alice"], ""), "listing 5 is alice's\n");
    said(&["user", "profile", "alice", "--city", "Lisbon"], "");

    for (arguments, input, hint) in [
        (&["user", "create", "alice", "--password-stdin"][..], "correct horse battery\n", "already exists"),
        (&["user", "create", "carol", "--password-stdin"], "short\n", "8"),
        (&["user", "create", "carol"], "", "--password-stdin"),
        (&["user", "passwd", "nobody", "--password-stdin"], "correct horse\n", "nobody"),
        (&["room", "create", "den"], "", "already"),
        (&["room", "create", "../x"], "", "invalid value"),
        (&["room", "add", "den", "nobody"], "", "no user nobody"),
        (&["room", "remove", "nowhere", "alice"], "", "no room nowhere"),
        (
            &["room", "remove", "attic", "alice"],
            "",
            "alice owns the room attic; the owner of a room stays in it",
        ),
        (&["listing", "set", "5", "--owner", "nobody"], "", "no user nobody"),
    ] {
        let output = run(arguments, input);
        let complaint = text(&output.stderr);
        assert!(!output.status.success() && complaint.contains(hint), "{arguments:?}: {complaint}");
    }
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("no.db"),
        "this is no database, but it is long enough to be read as one",
    )
    .unwrap();
    std::fs::write(folder.path().join("secret.toml"), "\ndatabase = 'mysql://amy:hush@db/chat'").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, hint) in [
        (&["--listen", &*address][..], "--listen"),
        (&["--database", "sqlite:/nowhere/chat.db"], "/nowhere/chat.db"),
        (&["--database", "sqlite:no.db"], "no.db"),
        (&["--database", "postgres://amy:hush@127.0.0.1:1/chat"], "postgres://amy@127.0.0.1:1/chat"),
        (&["--database", "postgres://amy:hush@db:port/chat"], "--database"),
        (&["--database", "mysql://amy:hush@db/chat"], "postgres://USER"),
        (&["--django-database", "mysql://amy:hush@db/chat"], "postgres://USER"),
        (&["--config", "secret.toml"], "secret.toml is not a file of settings, by its line 2"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
        (&["--auth", "jwt"], "jwt_key_file"),
        (&["--auth", "jwt", "--jwt-secret", "short"], "32"),
        (&["--auth", "django"], "django_database"),
        (&["--auth", "django", "--django-database", "sqlite:x", "--django-secret-key", ""], "empty"),
    ] {
        let output = run(folder.path(), arguments, "");
        let complaint = text(&output.stderr);
        assert!(!output.status.success() && complaint.contains(hint), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
        assert!(!complaint.contains("hush"), "a secret is not told: {complaint}");
    }
}
