//! Looks values up in a query string.

use std::borrow::Cow;

use form_urlencoded::parse;

/// The first value of this name in a query string, decoded.
pub(crate) fn value<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_counts_and_is_decoded() {
        assert_eq!(value("user=jo%C3%A3o+s&user=x", "user").as_deref(), Some("joão s"));
        assert_eq!(value("user=", "user").as_deref(), Some(""));
        assert_eq!(value("users=x", "user"), None);
        assert_eq!(value("", "user"), None);
    }
}
