//! What is written into each message, so that it is known again in whatever frame it comes back.

use std::fmt;

use memchr::memmem::Finder;

use super::clock::Nanos;

const BEGIN: &str = "~TS";
const END: u8 = b'~';

/// Most bytes of the three numbers of a mark.
const MAX_LEN: usize = 64;

/// The mark of a message: `~TS<sent at>.<sender>.<number>~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When it was to be sent.
    pub sent_at: Nanos,
    /// Who sent it.
    pub sender: usize,
    /// The sender's messages are numbered from 1.
    pub number: u64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{}.{}.{}~", self.sent_at, self.sender, self.number)
    }
}

/// Finds marks.
#[derive(Debug)]
pub(super) struct Marks(Finder<'static>);

impl Default for Marks {
    fn default() -> Self {
        Self(Finder::new(BEGIN))
    }
}

impl Marks {
    /// The marks in a frame, whichever its form, in their order: one frame may carry several messages.
    pub(super) fn of<'a>(&'a self, mut frame: &'a [u8]) -> impl Iterator<Item = Mark> + 'a {
        std::iter::from_fn(move || {
            loop {
                let begin = self.0.find(frame)? + BEGIN.len();
                frame = &frame[begin..];
                if let Some(mark) = parse(frame) {
                    return Some(mark);
                }
            }
        })
    }
}

/// Reads the numbers of a mark, by hand: this is done for every delivery.
fn parse(bytes: &[u8]) -> Option<Mark> {
    let (mut numbers, mut at, mut digits) = ([0_u64; 3], 0, 0);
    for &byte in bytes.iter().take(MAX_LEN) {
        match byte {
            b'0'..=b'9' => {
                numbers[at] = numbers[at].wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                digits += 1;
            }
            b'.' if at < 2 && digits > 0 => (at, digits) = (at + 1, 0),
            END if at == 2 && digits > 0 => {
                let [sent_at, sender, number] = numbers;
                return Some(Mark { sent_at, sender: usize::try_from(sender).ok()?, number });
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        let one = Mark { sent_at: 12, sender: 3, number: 4 };
        let two = Mark { number: 5, ..one };
        let frame = format!(r#"{{"a":"~TS1.2~ {one} ~TSx","b":["{two}"]}}"#);
        assert!(Marks::default().of(frame.as_bytes()).eq([one, two]));
    }
}
