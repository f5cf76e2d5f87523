//! Identifiers: positive 64-bit integers, one type for each thing they name.

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

use thiserror::Error;

/// Why a value is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id is a whole number from 1 to {}", i64::MAX)]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Always from 1 to [`i64::MAX`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Not zero, so that an `Option` of it takes no more: every connection has several.
        pub struct $name(NonZeroU64);

        impl $name {
            /// The identifier with this value, where it is positive.
            ///
            /// # Errors
            ///
            /// [`IdError`] for zero and negative numbers.
            pub const fn new(value: i64) -> Result<Self, IdError> {
                match NonZeroU64::new(value.cast_unsigned()) {
                    Some(id) if value > 0 => Ok(Self(id)),
                    _ => Err(IdError),
                }
            }

            /// The number itself.
            #[must_use]
            pub const fn value(self) -> i64 {
                self.0.get().cast_signed()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;

            fn try_from(value: i64) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.value()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads ASCII digits only: no sign, no space.
            fn from_str(text: &str) -> Result<Self, IdError> {
                if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(IdError);
                }
                text.parse().map_err(|_| IdError).and_then(Self::new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// A person with an account, or a guest.
    UserId
}
id! {
    /// A room; the `room_id` and `group_name` of the documents.
    RoomId
}
id! {
    /// A stored message. Within a room, ids grow with the [`Seq`]; across rooms they need not.
    MessageId
}
id! {
    /// A stored notification; the `id` of the `group` document's notifications.
    NotificationId
}
id! {
    /// The place of a message in its room: 1 for the first, then without gaps.
    Seq
}

impl Seq {
    /// The number of a room's first message.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The number before this one; `None` before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match Self::new(self.value() - 1) {
            Ok(previous) => Some(previous),
            Err(_) => None,
        }
    }

    /// The number that follows this one; nothing follows the last one.
    #[must_use]
    pub const fn next(self) -> Self {
        match Self::new(self.value().saturating_add(1)) {
            Ok(next) => next,
            Err(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_numbers_are_ids() {
        assert_eq!(RoomId::new(1).map(RoomId::value), Ok(1));
        assert_eq!(RoomId::new(0), Err(IdError));
        assert_eq!(RoomId::new(-1), Err(IdError));
        assert_eq!(RoomId::new(i64::MIN), Err(IdError));
        assert_eq!(RoomId::new(i64::MAX).map(i64::from), Ok(i64::MAX));
        assert_eq!(size_of::<Option<RoomId>>(), size_of::<i64>());
    }

    #[test]
    fn numbers_follow_each_other() {
        let second = Seq::FIRST.next();
        assert_eq!((Seq::FIRST.value(), second.value()), (1, 2));
        assert_eq!((Seq::FIRST.previous(), second.previous()), (None, Some(Seq::FIRST)));
        let last = Seq::new(i64::MAX).unwrap();
        assert_eq!(last.next(), last);
    }

    #[test]
    fn ids_are_read_from_plain_digits_only() {
        assert_eq!("123".parse(), RoomId::new(123));
        assert_eq!("0001".parse(), RoomId::new(1));
        for text in ["", "+1", "-1", " 1", "1 ", "1.0", "٣", "0", "9223372036854775808"] {
            assert_eq!(text.parse::<RoomId>(), Err(IdError), "{text:?}");
        }
    }
}
