//! How many messages a page of history has.

use std::str::FromStr;

use thiserror::Error;

/// Messages in a page of history, 1 to 10,000: a page is in memory as a whole, for each client that wants one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage(
    /// The number.
    pub u32,
);

/// No such page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a page of history has 1 to {} messages", HistoryPage::MAX)]
pub struct UnknownHistoryPage;

impl HistoryPage {
    /// The largest: 10,000 messages.
    pub const MAX: u32 = 10_000;
}

impl FromStr for HistoryPage {
    type Err = UnknownHistoryPage;

    fn from_str(text: &str) -> Result<Self, UnknownHistoryPage> {
        match text.parse::<u32>() {
            Ok(messages) if (1..=Self::MAX).contains(&messages) => Ok(Self(messages)),
            _ => Err(UnknownHistoryPage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_neither_empty_nor_endless() {
        assert_eq!("1".parse(), Ok(HistoryPage(1)));
        assert_eq!("10000".parse(), Ok(HistoryPage(HistoryPage::MAX)));
        for other in ["", "0", "-1", "10001", "many"] {
            assert_eq!(other.parse::<HistoryPage>(), Err(UnknownHistoryPage), "{other}");
        }
    }
}
