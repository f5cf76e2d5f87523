//! Joins a room, shows what happens there, and says what it reads from the standard input. Where the server goes, it
//! waits and comes back.
//!
//! ```sh
//! cargo run -p chat-client --example talk -- [URL [NAME [DIALECT]]]
//! ```
//!
//! The URL is that of a room, by default `ws://127.0.0.1:8000/ws/chat/testroom/`; the name is a guest's, by default
//! `guest`; the dialect is `typed` unless it is given. The end of the input ends the program.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks with a person at a terminal")]

use std::error::Error;
use std::process::ExitCode;
use std::{env, io, thread};

use chat_client::{Client, Dialect, Event, Reconnect, Update, Username};
use futures::StreamExt;
use tokio::sync::mpsc;

const DEFAULT_URL: &str = "ws://127.0.0.1:8000/ws/chat/testroom/";
const DEFAULT_NAME: &str = "guest";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match talk().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("talk: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn talk() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| DEFAULT_URL.to_owned());
    let name = Username::new(&arguments.next().unwrap_or_else(|| DEFAULT_NAME.to_owned()))?;
    let dialect = arguments.next().map_or(Ok(Dialect::Typed), |dialect| dialect.parse())?;

    let connect = Client::connect(url).dialect(dialect).user(name);
    let mut client = connect.reconnect(Reconnect::default())?;
    let sender = client.sender();
    let mut lines = lines();
    loop {
        tokio::select! {
            update = client.next() => match update {
                Some(update) => tell(&update?),
                None => return Ok(()),
            },
            line = lines.recv() => match line {
                // It does not wait: this very loop empties the outbox.
                Some(line) => match sender.try_send_text(&line) {
                    Err(error) if error.is_invalid_command() || error.is_full() => eprintln!("not sent: {error}"),
                    sent => drop(sent?),
                },
                None => break,
            },
        }
    }
    Ok(client.close().await?)
}

/// The lines of the standard input. A thread reads them, because a read from a terminal cannot be interrupted: the
/// program ends without waiting for it.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn tell(update: &Update) {
    match update {
        Update::Event(event) => show(event),
        Update::Connected => println!("* connected"),
        Update::Disconnected(lost) => println!("* {}; next attempt in {:?}", lost.error, lost.retry_in),
        // One's own message was stored: its echo has shown it already.
        _ => {}
    }
}

fn show(event: &Event) {
    match event {
        Event::MessagePosted(posted) => {
            let sender = posted.message.sender.name.as_ref().map_or(Username::ANONYMOUS, Username::as_str);
            println!("{sender}: {}", posted.message.text);
        }
        Event::PresenceChanged(presence) => {
            if let Some(name) = &presence.user.name {
                println!("* {name} {}", if presence.is_online { "is here" } else { "has left" });
            }
        }
        Event::TypingChanged(typing) => {
            if let Some(name) = &typing.user.name {
                println!("* {name} {}", if typing.is_typing { "is typing" } else { "stopped typing" });
            }
        }
        Event::Refused(refusal) => {
            println!("! {}", refusal.text.as_deref().unwrap_or(refusal.code.as_str()));
        }
        other => println!("* {other:?}"),
    }
}
