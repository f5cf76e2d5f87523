//! What the disk can do, with nothing in between.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::{Figures, micros};
use crate::senders::TEXT;

/// Appends the text of a message to a file and waits until it is on the disk, again and again.
pub(crate) fn append_and_sync(folder: &Path, lasting: Duration) -> Figures {
    let path = folder.join("bare");
    let mut file = File::create(&path).expect("a file can be made");
    let mut timed = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < lasting {
        let one = Instant::now();
        file.write_all(TEXT.as_bytes()).expect("the file can be written");
        file.sync_data().expect("the disk takes it");
        timed.push(micros(one.elapsed()));
    }
    let figures = Figures::of(timed, begin.elapsed());
    std::fs::remove_file(&path).expect("the file can be removed");
    figures
}
