//! Characters that nobody sees, so that two names that differ by them look the same.

/// The characters that nobody sees, but that Persian and Indic names, and emoji, need between others.
pub(super) const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a character is one that nobody sees, whatever stands beside it: those that Unicode calls
/// `Default_Ignorable_Code_Point`, without the joiners, and the pattern of Braille that has no dots.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Asks for a symbol to be drawn in colours: "\u{2764}\u{fe0f}" is a red heart.
const EMOJI_SELECTOR: char = '\u{fe0f}';

/// The first character that nobody sees and that does nothing: a joiner at an end, beside another, or beside ASCII, whose
/// letters never change their form; the selector of emoji other than behind a symbol; and [any other](is_invisible).
pub(super) fn first_hidden(text: &str) -> Option<char> {
    let can_be_joined = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_joiner(c));
    let is_symbol =
        |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_alphanumeric() && !is_invisible(c));
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_hidden = match c {
            EMOJI_SELECTOR => !is_symbol(before),
            c if is_joiner(c) => !can_be_joined(before) || !can_be_joined(rest.peek().copied()),
            c => is_invisible(c),
        };
        if is_hidden {
            return Some(c);
        }
        before = Some(c);
    }
    None
}
