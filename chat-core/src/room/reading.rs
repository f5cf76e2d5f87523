//! Who has read what.

use crate::storage::{FurthestReaders, StoredMessage};

impl FurthestReaders {
    /// Whether somebody other than its sender has read the message.
    #[must_use]
    pub fn have_read(&self, message: &StoredMessage) -> bool {
        self.0.iter().flatten().any(|(reader, up_to)| *reader != message.sender.id && *up_to >= message.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::User;
    use chat_protocol::{MessageId, RoomId, Seq, Timestamp, UserId, Username};

    fn mark(user: i64, seq: i64) -> (UserId, Seq) {
        (UserId::new(user).unwrap(), Seq::new(seq).unwrap())
    }

    fn message(sender: i64, seq: i64) -> StoredMessage {
        StoredMessage {
            id: MessageId::new(seq).unwrap(),
            room: RoomId::new(1).unwrap(),
            seq: Seq::new(seq).unwrap(),
            sender: User { id: UserId::new(sender).unwrap(), name: Username::new("amy").unwrap() },
            text: "x".into(),
            sent_at: Timestamp::from_micros(0).unwrap(),
            client_id: None,
        }
    }

    #[test]
    fn only_others_can_have_read_a_message() {
        let readers = FurthestReaders([Some(mark(1, 9)), Some(mark(2, 5))]);
        assert!(!readers.have_read(&message(1, 6)), "nobody but its sender has come so far");
        assert!(readers.have_read(&message(1, 5)));
        assert!(readers.have_read(&message(2, 9)));
        assert!(!readers.have_read(&message(2, 10)));
        assert!(!FurthestReaders::default().have_read(&message(1, 1)));
    }
}
