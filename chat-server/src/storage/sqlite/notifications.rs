//! Notifications.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{NOTIFICATIONS_PER_USER, NotificationStorage, StoredNotification, User};
use chat_protocol::{NotificationId, Timestamp, UserId};

use super::SqliteStorage;
use super::query::{all, execute};
use super::row::{self, NotificationRow};
use crate::storage::SURPLUS_AT_ONCE;

#[async_trait]
impl NotificationStorage for SqliteStorage {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        let sender = sender.clone();
        self.transaction(move |connection| {
            execute(
                connection,
                "INSERT INTO notifications (sender_id, recipient_id, text, sent_at) VALUES (?, ?, ?, ?)",
                (sender.id.value(), recipient.value(), &*text, sent_at.as_micros()),
            )?;
            let id = row::id(connection.last_insert_rowid())?;
            // Both subqueries read the index by recipient alone.
            execute(
                connection,
                "DELETE FROM notifications WHERE id IN \
                 (SELECT id FROM notifications WHERE recipient_id = ?1 AND id <= \
                 (SELECT id FROM notifications WHERE recipient_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2) \
                 ORDER BY id LIMIT ?3)",
                (recipient.value(), NOTIFICATIONS_PER_USER, SURPLUS_AT_ONCE),
            )?;
            Ok(StoredNotification { id, sender, recipient, text, sent_at })
        })
        .await
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        self.read(move |connection| {
            all(
                connection,
                "SELECT * FROM (SELECT n.id, n.sender_id, u.name AS sender_name, n.text, n.sent_at \
                 FROM notifications AS n JOIN users AS u ON u.id = n.sender_id \
                 WHERE n.recipient_id = ? ORDER BY n.id DESC LIMIT ?) ORDER BY id",
                (recipient.value(), NOTIFICATIONS_PER_USER),
                |row: NotificationRow| row.read(recipient),
            )
        })
        .await
    }

    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError> {
        let ids = ids.to_vec();
        self.transaction(move |connection| {
            for id in ids {
                execute(
                    connection,
                    "DELETE FROM notifications WHERE id = ? AND recipient_id = ?",
                    (id.value(), recipient.value()),
                )?;
            }
            Ok(())
        })
        .await
    }
}
