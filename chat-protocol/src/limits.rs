//! How much of anything one frame may carry.

/// Bounds that decoding enforces. Lengths are in characters (Unicode scalar values), not bytes.
///
/// ```
/// use chat_protocol::{Limits, MessageText};
///
/// let limits = Limits { max_text_chars: 5, ..Limits::default() };
/// assert!(MessageText::new("héllo", &limits).is_ok());
/// assert!(MessageText::new("héllo!", &limits).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most characters of a message or notification. Default 4,096.
    pub max_text_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_text_chars: 4096 }
    }
}
