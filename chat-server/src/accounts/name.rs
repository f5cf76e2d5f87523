//! Names of accounts.

use chat_protocol::{NameError, Username};
use unicode_normalization::UnicodeNormalization;

/// The name of an account, as somebody may have typed it: in the form NFKC and trimmed, as Django's forms do.
///
/// So `é` is one name however a keyboard makes it, and full-width letters are no second set of names.
///
/// # Errors
///
/// [`NameError`] where it is none. [`Username::ANONYMOUS`] is nobody's in particular, and reserved in any case.
pub(super) fn account_name(text: &str) -> Result<Username, NameError> {
    // A name of four-byte characters has half of this; more is not worth the work.
    if text.len() > 8 * Username::MAX_CHARS {
        return Err(NameError::TooLong { max: Username::MAX_CHARS });
    }
    let normal: String = text.nfkc().collect();
    let name = Username::new(normal.trim())?;
    if name.as_str().eq_ignore_ascii_case(Username::ANONYMOUS) {
        return Err(NameError::Reserved);
    }
    Ok(name)
}

/// The name of an account to be made: held to more than that of one who signs in, whose account may be older than the
/// rule.
///
/// # Errors
///
/// [`NameError`] where it is none, or looks like another.
pub(super) fn new_account_name(text: &str) -> Result<Username, NameError> {
    let name = account_name(text)?;
    name.check_new()?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_however_it_is_typed() {
        for typed in ["Jos\u{e9}", "Jose\u{301}", " Jos\u{e9} ", "\u{ff2a}os\u{e9}"] {
            assert_eq!(account_name(typed).unwrap().as_str(), "Jos\u{e9}", "{typed}");
        }
        assert_ne!(account_name("amy"), account_name("Amy"));
    }

    #[test]
    fn what_is_no_name() {
        for typed in ["", "  ", "server", "SERVER", "anonymous", "a<b", "a\u{202e}b", "a\nb"] {
            assert!(account_name(typed).is_err(), "{typed:?}");
        }
        assert!(account_name(&"a".repeat(151)).is_err());
        assert!(account_name(&"\u{1d400}".repeat(100_000)).is_err());
    }

    #[test]
    fn no_account_is_made_that_looks_like_another() {
        // The first of these becomes U+1160 in the form NFKC.
        for typed in ["alice\u{3164}", "alice\u{1160}", "alice\u{ffa0}", "alice\u{200c}", "\u{2800}alice"] {
            assert!(new_account_name(typed).is_err(), "{typed:?}");
        }
        assert!(account_name("alice\u{1160}").is_ok(), "whoever is called so signs in still");
        assert_eq!(new_account_name("Jose\u{301}"), account_name("Jos\u{e9}"));
    }
}
