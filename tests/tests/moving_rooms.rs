//! A room that moves from one kind of database to the other and back, by way of files.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use chat_server::Cli;
use chat_tests::postgres::Postgres;
use clap::Parser;

const FILE: &str = concat!(
    r#"{"format":"chat-room","version":1,"room":{"name":"den","display_name":"The \"Den\"","access":"members","#,
    r#""owner":"amy","members":["زید","amy"]}}"#,
    "\n",
    r#"{"seq":1,"message_id":1,"username":"amy","text":"two\nlines","sent_at":"2025-10-03T03:00:00Z"}"#,
    "\n",
    r#"{"seq":2,"message_id":2,"username":"زید","text":"سلام 👩‍👩‍👧 '); --","sent_at":"2025-10-03T03:00:00.000001Z","#,
    r#""client_id":"m-2"}"#,
    "\n",
);

/// Does what the program does with these arguments.
async fn run(database: &str, arguments: &[&str]) -> String {
    let cli = Cli::try_parse_from([&["chat-server", "--database", database], arguments].concat())
        .expect("a command line");
    let command = cli.command.clone().expect("a command");
    let config = cli.resolve().expect("settings");
    command.run(&config).await.unwrap_or_else(|error| panic!("{}", chat_server::chain(&error)))
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a path").to_owned()
}

#[tokio::test]
async fn a_room_moves_between_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let postgres = Postgres::shared();
    let postgres = postgres.url_of(&postgres.fresh_database());
    let made = run(&postgres, &["migrate"]).await;
    assert!(made.contains("made with tables of version") && !made.contains("only-for-tests"), "{made}");
    assert!(run(&postgres, &["migrate"]).await.contains("nothing to do"));

    let first = path(folder, "first.jsonl");
    std::fs::write(&first, FILE).expect("a file");
    let mut file = first;
    for (database, name) in
        [(postgres, "second.jsonl"), (format!("sqlite:{}", path(folder, "chat.db")), "third.jsonl")]
    {
        for (there, imported) in [(0, 2), (2, 0)] {
            let report = run(&database, &["import", &file]).await;
            let counts = format!("{there} messages were there already, {imported} were imported\n");
            assert!(report.ends_with(&counts), "{report}");
        }
        let next = path(folder, name);
        run(&database, &["export", "den", "--output", &next]).await;
        assert_eq!(std::fs::read_to_string(&next).expect("a file"), FILE);
        file = next;
    }
}
