//! Where to go after signing in or out.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Most bytes of an address to go to.
const MAX_BYTES: usize = 2048;

/// What a header or a page should not hold as it is; what is encoded already stays so.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// An address to go to, where it is a path of this site; anything else may lead to another one.
pub(super) fn checked(next: &str) -> Option<String> {
    let path = next.strip_prefix('/')?;
    // Browsers take `\` for `/`, and leave out tabs and line breaks.
    let leads_away = path.starts_with('/') || path.contains('\\') || path.contains(char::is_control);
    (!leads_away && next.len() <= MAX_BYTES).then(|| utf8_percent_encode(next, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for (next, expected) in [
            ("/", Some("/")),
            ("/chat/room/?user=x&y=%2F#z", Some("/chat/room/?user=x&y=%2F#z")),
            ("/chat/聊/", Some("/chat/%E8%81%8A/")),
            ("/a b<\"", Some("/a%20b%3C%22")),
            ("/a//b", Some("/a//b")),
            ("", None),
            ("chat", None),
            ("//evil.example", None),
            ("///evil.example", None),
            ("/\\evil.example", None),
            ("/chat\\..\\\\evil.example", None),
            ("\\\\evil.example", None),
            ("/\t/evil.example", None),
            ("/\n/evil.example", None),
            ("/\r\nSet-Cookie: x=y", None),
            ("http://evil.example/", None),
            ("javascript:alert(1)", None),
            (" /chat", None),
        ] {
            assert_eq!(checked(next).as_deref(), expected, "{next:?}");
        }
        assert_eq!(checked(&format!("/{}", "a".repeat(MAX_BYTES))), None);
    }
}
