//! Notifications.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{NotificationStorage, StoredNotification, User};
use chat_protocol::{NotificationId, Timestamp, UserId};

use super::row::{self, NotificationRow};
use super::{PostgresStorage, failed};

#[async_trait]
impl NotificationStorage for PostgresStorage {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        let id: i64 = self
            .pool
            .transaction(async |connection| {
                sqlx::query_scalar(
                    "INSERT INTO notifications (sender_id, recipient_id, text, sent_at) \
                     VALUES ($1, $2, $3, $4) RETURNING id",
                )
                .bind(sender.id.value())
                .bind(recipient.value())
                .bind(&*text)
                .bind(sent_at.as_micros())
                .fetch_one(connection)
                .await
                .map_err(failed)
            })
            .await?;
        Ok(StoredNotification { id: row::id(id)?, sender: sender.clone(), recipient, text, sent_at })
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        let rows: Vec<NotificationRow> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT n.id, n.sender_id, u.name AS sender_name, n.text, n.sent_at \
                     FROM notifications AS n JOIN users AS u ON u.id = n.sender_id \
                     WHERE n.recipient_id = $1 ORDER BY n.id",
                )
                .bind(recipient.value()),
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
