//! Notifications.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{NOTIFICATIONS_PER_USER, NotificationStorage, StoredNotification, User};
use chat_protocol::{NotificationId, Timestamp, UserId};

use super::row::{self, NotificationRow};
use super::{PostgresStorage, failed};
use crate::storage::SURPLUS_AT_ONCE;

#[async_trait]
impl NotificationStorage for PostgresStorage {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        let id = self
            .pool
            .transaction(async |connection| {
                // One at a time for each recipient: those that are stored at once would not count each other.
                sqlx::query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")
                    .bind(recipient.value())
                    .execute(&mut *connection)
                    .await
                    .map_err(failed)?;
                let id: i64 = sqlx::query_scalar(
                    "INSERT INTO notifications (sender_id, recipient_id, text, sent_at) \
                     VALUES ($1, $2, $3, $4) RETURNING id",
                )
                .bind(sender.id.value())
                .bind(recipient.value())
                .bind(&*text)
                .bind(sent_at.as_micros())
                .fetch_one(&mut *connection)
                .await
                .map_err(failed)?;
                // Those that their recipient is just clearing are left to them: two that wait for each other's rows would
                // be a deadlock.
                sqlx::query(
                    "DELETE FROM notifications WHERE id = ANY (ARRAY \
                     (SELECT id FROM notifications WHERE recipient_id = $1 AND id <= \
                     (SELECT id FROM notifications WHERE recipient_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2) \
                     ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED))",
                )
                .bind(recipient.value())
                .bind(i64::from(NOTIFICATIONS_PER_USER))
                .bind(i64::from(SURPLUS_AT_ONCE))
                .execute(connection)
                .await
                .map_err(failed)?;
                Ok(id)
            })
            .await?;
        Ok(StoredNotification { id: row::id(id)?, sender: sender.clone(), recipient, text, sent_at })
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        let rows: Vec<NotificationRow> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT * FROM (SELECT n.id, n.sender_id, u.name AS sender_name, n.text, n.sent_at \
                     FROM notifications AS n JOIN users AS u ON u.id = n.sender_id \
                     WHERE n.recipient_id = $1 ORDER BY n.id DESC LIMIT $2) AS newest ORDER BY id",
                )
                .bind(recipient.value())
                .bind(i64::from(NOTIFICATIONS_PER_USER)),
            )
            .await?;
        rows.into_iter().map(|row| row.read(recipient)).collect()
    }

    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.value()).collect();
        self.pool
            .execute(
                sqlx::query("DELETE FROM notifications WHERE recipient_id = $1 AND id = ANY ($2)")
                    .bind(recipient.value())
                    .bind(ids),
            )
            .await?;
        Ok(())
    }
}
