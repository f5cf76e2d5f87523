//! What a client that comes back says of the messages that it has: `?since=`.

use chat_protocol::{Since, SinceError};
use thiserror::Error;

use crate::query;

/// Most rooms that are resumed at once.
const MAX_ROOMS: usize = 1_000;

/// Why a `since` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum InvalidSince {
    #[error(transparent)]
    Slip(#[from] SinceError),
    #[error("since names more than {MAX_ROOMS} rooms")]
    TooMany,
}

/// What the query says: `since=<message>`, or `since=<room>:<message>,…` on a socket that carries many rooms. `None`
/// where it says nothing; a client that wants nothing back may leave the value empty.
pub(super) fn parse(query: &str) -> Result<Option<Vec<Since>>, InvalidSince> {
    let Some(value) = query::value(query, "since").filter(|value| !value.is_empty()) else { return Ok(None) };
    if value.split(',').count() > MAX_ROOMS {
        return Err(InvalidSince::TooMany);
    }
    Ok(Some(value.split(',').map(str::parse).collect::<Result<_, SinceError>>()?))
}

#[cfg(test)]
mod tests {
    use chat_protocol::{MessageId, RoomName};

    use super::*;

    fn since(room: Option<&str>, message: i64) -> Since {
        let room = room.map(|name| RoomName::new(name).unwrap().into());
        Since { room, message: MessageId::new(message).ok() }
    }

    #[test]
    fn one_room_or_many_are_told() {
        assert_eq!(parse("user=amy"), Ok(None));
        assert_eq!(parse("since="), Ok(None));
        assert_eq!(parse("since=7&since=8"), Ok(Some(vec![since(None, 7)])));
        assert_eq!(parse("since=0"), Ok(Some(vec![since(None, 0)])));
        assert_eq!(
            parse("since=lobby:7,5%3A0,%E8%81%8A:9"),
            Ok(Some(vec![since(Some("lobby"), 7), since(Some("5"), 0), since(Some("聊"), 9)]))
        );
    }

    #[test]
    fn slips_are_refused() {
        for slip in
            ["x", "-1", "7,", ",7", "lobby:", ":7", "a:b:7", "7:", "1e3", "lobby:7 8", "9223372036854775808"]
        {
            assert!(parse(&format!("since={slip}")).is_err(), "{slip}");
        }
        assert!(parse(&format!("since={}", vec!["1"; MAX_ROOMS].join(","))).is_ok());
        assert_eq!(
            parse(&format!("since={}", vec!["1"; MAX_ROOMS + 1].join(","))),
            Err(InvalidSince::TooMany)
        );
    }
}
