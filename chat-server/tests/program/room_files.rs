//! `chat-server export` and `import`.

use std::path::Path;

use chat_core::storage::UserStorage;
use chat_server::storage::SqliteStorage;

use crate::{complaint, program, said, text};

/// What may be hard to carry.
const TEXTS: [&str; 8] = [
    "hello",
    "two\nlines\r\nand \"quotes\" and 'others' \\ and \t tabs",
    "سلام دنیا \u{202e}rtl\u{202c}",
    "👩‍👩‍👧‍👦 聊天室",
    "<script>alert(1)</script> '); DROP TABLE messages; --",
    "\u{1}\u{7f}\u{2028}\u{feff}",
    " padded ",
    r#"{"format":"chat-room"}"#,
];

const HEAD: &str = r#"{"format":"chat-room","version":1,"room":{"name":"den","display_name":"The Den","access":"members","owner":"amy","members":["ben","amy"]}}"#;

/// A file with these texts, from two people in turn, every other one marked.
fn file(texts: &[&str]) -> String {
    let line = |(number, text): (usize, &&str)| {
        let name = if number % 2 == 0 { "amy" } else { "زید" };
        let text = serde_json::Value::from(*text);
        let mark = if number % 2 == 0 { format!(",\"client_id\":\"m-{number}\"") } else { String::new() };
        format!(
            "{{\"seq\":{number},\"message_id\":{number},\"username\":\"{name}\",\"text\":{text},\
             \"sent_at\":\"2025-10-03T03:00:00.{number:06}Z\"{mark}}}\n"
        )
    };
    let head = std::iter::once(format!("{HEAD}\n"));
    head.chain((1..).zip(texts).map(line)).collect()
}

fn import(folder: &Path, database: &str, file: &str) -> String {
    said(folder, &["import", "--database", database], file)
}

fn export(folder: &Path, database: &str, room: &str) -> String {
    said(folder, &["export", room, "--database", database], "")
}

#[test]
fn a_room_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = file(&TEXTS);
    let report = import(folder, "sqlite:one.db", &file);
    assert_eq!(report, "room den: made\n0 messages were there already, 8 were imported\n");
    assert_eq!(export(folder, "sqlite:one.db", "den"), file);
    assert_eq!(
        said(folder, &["room", "list", "--database", "sqlite:one.db"], ""),
        "1\tden\tprivate\tben, amy\n"
    );

    let saved = said(folder, &["export", "den", "--output", "den.jsonl", "--database", "sqlite:one.db"], "");
    assert_eq!(saved, "room den: 8 messages are in den.jsonl\n");
    assert_eq!(std::fs::read_to_string(folder.join("den.jsonl")).unwrap(), file);
    said(folder, &["import", "den.jsonl", "--room", "other", "--database", "sqlite:two.db"], "");
    let exported = export(folder, "sqlite:two.db", "other");
    assert_eq!(exported, file.replacen("\"den\"", "\"other\"", 1));
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".chat-")), "{left:?}");
}

#[test]
fn the_owner_of_an_imported_room_is_a_member_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = file(&["one"]).replacen(r#"["ben","amy"]"#, r#"["ben"]"#, 1);
    import(folder, "sqlite:chat.db", &file);
    assert_eq!(said(folder, &["room", "list"], ""), "1\tden\tprivate\tben, amy\n");
}

#[tokio::test]
async fn whom_an_import_makes_has_no_id_of_another_system() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let settings = format!("auth = 'jwt'\njwt_secret = '{}'\n", "s".repeat(32));
    std::fs::write(folder.join("chat.toml"), settings).unwrap();
    said(folder, &["import", "--config", "chat.toml"], &file(&["one", "two"]));
    let storage = SqliteStorage::open(&folder.join("chat.db")).await.unwrap();
    let users = storage.users(100).await.unwrap();
    assert!(!users.is_empty() && users.iter().all(|user| user.id.value() > 1 << 52), "{users:?}");
}

#[test]
fn more_messages_than_fit_into_a_page_come_out_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..1_234).map(|number| format!("m{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let file = file(&texts);
    import(folder.path(), "sqlite:one.db", &file);
    assert_eq!(export(folder.path(), "sqlite:one.db", "den"), file);
}

#[test]
fn an_import_goes_on_where_it_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let texts: Vec<String> = (0..1_100).map(|number| format!("m{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let whole = file(&texts);

    // What comes before the line that is cut off stays, in whole batches.
    let cut = &whole[..whole.len() - 20];
    let complaint = complaint(folder, &["import", "--database", "sqlite:one.db"], cut);
    assert!(complaint.contains("line 1101"), "{complaint}");
    let report = import(folder, "sqlite:one.db", &whole);
    assert!(report.ends_with("1000 messages were there already, 100 were imported\n"), "{report}");
    let report = import(folder, "sqlite:one.db", &whole);
    assert!(report.ends_with("1100 messages were there already, 0 were imported\n"), "{report}");
    // The room has gone on since the file was written: there is nothing to add, either.
    let report = import(folder, "sqlite:one.db", &file(&texts[..600]));
    assert!(report.ends_with("600 messages were there already, 0 were imported\n"), "{report}");
    assert_eq!(export(folder, "sqlite:one.db", "den"), whole);
}

#[test]
fn a_room_with_other_messages_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let before = file(&["one", "two"]);
    import(folder, "sqlite:one.db", &before);
    for (line, other) in [
        (3, file(&["one", "zwei", "three"])),
        (2, before.replace("زید", "ben")),
        (2, before.replace("000001Z", "000009Z")),
        (3, before.replace("m-2", "m-9")),
    ] {
        let complaint = complaint(folder, &["import", "--database", "sqlite:one.db"], &other);
        assert!(complaint.contains(&format!("line {line} is not message")), "{complaint}");
    }
    assert_eq!(export(folder, "sqlite:one.db", "den"), before);
}

#[test]
fn no_room_is_made_whose_name_looks_like_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let twin = file(&["one"]).replacen(r#""name":"den""#, "\"name\":\"den\u{1160}\"", 1);
    let complaint = complaint(folder, &["import", "--database", "sqlite:one.db"], &twin);
    assert!(complaint.contains("--room gives it another"), "{complaint}");
    said(folder, &["import", "--room", "den", "--database", "sqlite:one.db"], &twin);
    assert_eq!(export(folder, "sqlite:one.db", "den"), file(&["one"]));
}

#[test]
fn what_is_no_room_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let twice = file(&["one", "two", "three", "four"]).replace("m-4", "m-2");
    let long = "x".repeat(100_000);
    for (input, hint) in [
        ("", "line 1"),
        ("\u{7f}ELF\0\0\0", "line 1"),
        (&file(&["one", " "]), "line 3: field `text`: it is blank"),
        (&file(&["one", "two", &long]), "line 4: field `text`: it has more than 4096 characters"),
        (&twice, "line 5 has the client_id of an earlier message"),
    ] {
        let complaint = complaint(folder, &["import"], input);
        assert!(complaint.contains(hint) && complaint.len() < 500, "{complaint}");
        std::fs::remove_file(folder.join("chat.db")).unwrap();
    }
    said(folder, &["import", "--max-text-chars", "100000"], &file(&["one", "two", &long]));
    for (arguments, hint) in [
        (&["import", "nowhere.jsonl"][..], "nowhere.jsonl"),
        (&["export", "nowhere"], "no room nowhere"),
        (&["export", "den", "--output", "nowhere/den.jsonl"], "cannot be written"),
    ] {
        let complaint = complaint(folder, arguments, "");
        assert!(complaint.contains(hint), "{complaint}");
    }
}

#[test]
fn what_was_removed_is_not_exported_and_the_rest_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // As a room is whose first messages were not to be kept.
    let file: String = file(&["one", "two", "three", "four"])
        .lines()
        .filter(|line| !line.contains("\"seq\":1,"))
        .fold(String::new(), |file, line| file + line + "\n");
    import(folder, "sqlite:one.db", &file);
    let exported = export(folder, "sqlite:one.db", "den");
    assert_eq!(exported.lines().count(), 4);
    assert!(
        exported.contains("\"seq\":1,\"message_id\":1,\"username\":\"amy\",\"text\":\"two\""),
        "{exported}"
    );
    let report = import(folder, "sqlite:one.db", &file);
    assert!(report.ends_with("3 messages were there already, 0 were imported\n"), "{report}");
}

#[test]
fn a_room_with_holes_is_exported_and_imported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let texts: Vec<String> = (0..1_100).map(|number| format!("m{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    import(folder, "sqlite:one.db", &file(&texts));
    // The first hole is where a page of the export ends.
    rusqlite::Connection::open(folder.join("one.db"))
        .unwrap()
        .execute_batch("DELETE FROM messages WHERE seq BETWEEN 501 AND 520 OR seq IN (700, 1099)")
        .unwrap();
    let exported = export(folder, "sqlite:one.db", "den");
    assert_eq!(exported.lines().count(), 1 + 1_078);
    for (seq, after) in [(521, 500), (701, 699), (1_100, 1_098)] {
        let begin = format!("{{\"seq\":{seq},\"after\":{after},");
        assert!(exported.lines().any(|line| line.starts_with(&begin)), "{begin}");
    }
    let report = import(folder, "sqlite:two.db", &exported);
    assert!(report.ends_with("0 messages were there already, 1078 were imported\n"), "{report}");
    let report = import(folder, "sqlite:one.db", &exported);
    assert!(report.ends_with("1078 messages were there already, 0 were imported\n"), "{report}");
    assert!(!export(folder, "sqlite:two.db", "den").contains("\"after\""));
}

#[test]
fn an_export_that_cannot_be_written_fails() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    import(folder, "sqlite:chat.db", &file(&TEXTS));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program(folder).args(["export", "den"]).stdout(full).output().unwrap();
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("cannot be written: No space left"), "{said}");
}

#[test]
fn no_export_takes_the_place_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = file(&TEXTS);
    import(folder, "sqlite:chat.db", &file);
    std::os::unix::fs::symlink("chat.db", folder.join("link.db")).unwrap();
    for (database, output) in [
        ("sqlite:chat.db", "chat.db"),
        ("sqlite:chat.db", "./link.db"),
        ("sqlite:link.db", "chat.db"),
        ("sqlite:link.db", "link.db"),
        ("sqlite:chat.db", "chat.db-wal"),
        ("sqlite:link.db", "./chat.db-shm"),
    ] {
        let complaint = complaint(folder, &["export", "den", "--output", output, "--database", database], "");
        assert!(complaint.contains("is the database itself, or belongs to it"), "{complaint}");
    }
    assert_eq!(export(folder, "sqlite:chat.db", "den"), file);
    said(folder, &["export", "den", "--output", "chat.db-den"], "");
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    import(folder, "sqlite:chat.db", &file(&TEXTS));
    let socket = folder.join("socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for arguments in [&["export", "den", "--output", "socket"][..], &["backup", "socket", "--force"]] {
        assert!(complaint(folder, arguments, "").contains("what is there is no file"));
        assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok(), "it is still there");
    }
}
